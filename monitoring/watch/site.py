"""What concerns the whole site, asked every ten seconds by whoever has the turn, and by who looks when nobody has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from foundation.clock import database_now, iso
from foundation.db import statements
from monitoring.alerting.site import follow
from monitoring.core.health import Issue
from monitoring.probes import site as probes
from monitoring.probes.waiting import unreachable
from monitoring.queries.health import issue_view
from monitoring.watch import loops
from monitoring.watch.collect import Away

EVERY = timedelta(seconds=10)
OVERDUE = timedelta(seconds=15)
"""After this somebody who looks at the site asks in its place."""


def look(every: timedelta = EVERY) -> None:
    """Ask the engines and all probes of the site, if it is this process's turn; opens and closes their alerts."""
    if not settings.WORKFLOW_MONITORING_ENABLED or not loops.held(loops.SITE, every):
        return
    before = _told()
    with loops.turn(loops.SITE) as one:
        one.detail = dict(before)  # should the engines' servers take long, it is still known who was away
        silent = {
            name: (_since(before, name) or database_now(), why, remedy) for name, why, remedy in unreachable()
        }  # fmt: skip
        found = _lasting(probes.issues(silent), before.get("issues") or [])
        now = database_now()
        with statements.writing():
            follow(found, now)
        one.detail = {
            "away": {name: {"since": iso(since), "why": why} for name, (since, why, _) in silent.items()},
            "issues": [issue_view(issue) for issue in found],
        }


def look_if_nobody_does() -> None:
    """The same where the last time is over OVERDUE ago: no worker is alive, or none has begun to watch."""
    look(OVERDUE)


def site_issues() -> list[dict[str, Any]]:
    """What was wrong with the site when it was asked last, the worst first, as JSON."""
    return list(_told().get("issues") or [])


def away() -> Away:
    """The engines that did not answer when they were asked last."""
    found = _told().get("away") or {}
    return {name: (datetime.fromisoformat(one["since"]), str(one["why"])) for name, one in found.items()}


def _told() -> Mapping[str, Any]:
    return loops.told(loops.SITE).get("detail") or {}


def _since(before: Mapping[str, Any], engine: str) -> datetime | None:
    known = (before.get("away") or {}).get(engine)
    return datetime.fromisoformat(known["since"]) if known else None


def _lasting(found: Iterable[Issue], before: Iterable[Mapping[str, Any]]) -> list[Issue]:
    """With the moment from which on each was there at every look."""
    known = {(one["code"], one["target"]): datetime.fromisoformat(one["since"]) for one in before}
    return [replace(one, since=min(one.since, known.get((one.code, one.target), one.since))) for one in found]
