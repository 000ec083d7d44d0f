"""Call ZEN_HEARTBEAT_URL each minute while runs are watched: another service tells when the calls stay away.

A watcher that is dead cannot tell that it is.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import httpx2
from django.conf import settings

from foundation.clock import database_now
from foundation.outbound.transport import NO_ANSWER, begin, client
from monitoring.watch import loops

log = logging.getLogger("workflows")

EVERY = timedelta(seconds=60)
FRESH = timedelta(seconds=30)
"""The last pass of the watch is not older than this, or no call is made."""

SECONDS = 10.0


def beat() -> None:
    """One call, if it is this process's turn and somebody watches. A call that fails is told in the log."""
    url = settings.ZEN_HEARTBEAT_URL
    if not url or not settings.WORKFLOW_MONITORING_ENABLED or not loops.held(loops.HEARTBEAT, EVERY):
        return
    watched = loops.told(loops.WATCH).get("at")
    if watched is None or watched < database_now() - FRESH:
        return
    with loops.turn(loops.HEARTBEAT) as one:
        one.detail = {"error": _call(url)}
    if one.detail["error"]:
        log.warning("the call of ZEN_HEARTBEAT_URL failed: %s", one.detail["error"])


def _call(url: str) -> str:
    """Why it failed; '' where it was taken. The answer's body is not read."""
    begin(SECONDS)
    try:
        with client().stream("GET", url, follow_redirects=False) as answer:
            return "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
    except NO_ANSWER as error:
        return f"no answer: {error or type(error).__name__}"[:300]
    except httpx2.InvalidURL as error:
        return f"it cannot be called: {error}"[:300]
