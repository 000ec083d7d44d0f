"""How an endpoint is: by its check, and by how the sessions with it ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from foundation.clock import database_now
from foundation.db import statements
from foundation.identity.actor import Actor
from foundation.secrets.redaction import head
from orchestration.agents.base import Health
from orchestration.agents.endpoints.record import record
from orchestration.core.agent.session import Ended, EndReason
from orchestration.models import AgentEndpoint

FRESH_SECONDS = 300.0
"""A check that found it well holds for so long; a session that ended well is as good as a check."""
FAILING_SECONDS = 60.0
"""One that was found ill is looked at again after so long."""
FAILURES = 3
FIRST_OPEN_SECONDS, LONGEST_OPEN_SECONDS = 60.0, 900.0
LIMIT_SECONDS, LONGEST_LIMIT_SECONDS = 60.0, 7 * 86_400.0
"""Of a limit whose end nobody knows, or that should be over already; and the longest one: windows of a week."""
LONGEST_ERROR = 1000
SIGNED_OUT = "agent.out_of_service"
"""The audit kind, and the kind of alert: an endpoint needs a person before it gets attempts again."""

BROKEN = (EndReason.CRASHED, EndReason.STALLED)
WORKED = (EndReason.END_TURN, EndReason.MAX_TURNS, EndReason.REFUSAL, EndReason.SUSPENDED, EndReason.OVER_BUDGET)


def is_stale(row: AgentEndpoint, at: datetime) -> bool:
    """Whether what is known of its health is too old to go by."""
    if row.health_at is None:
        return True
    seconds = FRESH_SECONDS if row.health == AgentEndpoint.HEALTHY else FAILING_SECONDS
    return row.health_at + timedelta(seconds=seconds) <= at


def note_check(row_id: int, found: Health, *, by: Actor, mended: bool = True) -> AgentEndpoint:
    """Keep what a check found.

    `mended`: a person asked, so its failures and its limit are forgotten if it is well. One that is looked at before a
    session may be found well, and break every session all the same.
    """
    with statements.writing():
        row = AgentEndpoint.objects.select_for_update().get(pk=row_id)
        row.health_at, row.version = database_now(), found.version[:200]
        row.health_error = "" if found.usable else head(found.detail, LONGEST_ERROR)
        was_out = row.out_since is not None
        if found.usable:
            row.health, row.out_since = AgentEndpoint.HEALTHY, None
            if mended:
                row.failures, row.open_until, row.not_before = 0, None, None
        elif found.installed:
            _out_of_service(row, by)
        elif not was_out:
            row.health = AgentEndpoint.FAILING
        if mended:
            record(actor=by, action="agent.check", agent=row.name, usable=found.usable)
        if was_out and found.usable:
            record(actor=by, action="agent.in_service", agent=row.name)
        row.save(update_fields=["health_at", "version", *_ABOUT])
    return row


_ABOUT = ["health", "health_error", "out_since", "failures", "open_until", "not_before"]


def note_end(row_id: int, ended: Ended, *, by: Actor) -> None:
    """Keep what the end of a session says about its endpoint; one that is removed by now is let be."""
    if ended.reason not in (*BROKEN, *WORKED, EndReason.AUTH, EndReason.RATE_LIMITED):
        return
    with statements.writing():
        row = AgentEndpoint.objects.select_for_update().filter(pk=row_id).first()
        if row is None:
            return
        at = database_now()
        if ended.reason in WORKED:
            if row.out_since is None:
                row.health, row.health_at, row.health_error = AgentEndpoint.HEALTHY, at, ""
            row.failures, row.open_until = 0, None
        else:
            row.health_error = head(ended.error or f"its session ended as {ended.reason}", LONGEST_ERROR)
            _note_trouble(row, ended, at, by)
        row.save(update_fields=["health_at", *_ABOUT])


def _note_trouble(row: AgentEndpoint, ended: Ended, at: datetime, by: Actor) -> None:
    if ended.reason is EndReason.AUTH:
        _out_of_service(row, by)
    elif ended.reason is EndReason.RATE_LIMITED:
        soon, told = at + timedelta(seconds=LIMIT_SECONDS), ended.retry_at
        until = told if told is not None and told > at else soon
        row.not_before = min(until, at + timedelta(seconds=LONGEST_LIMIT_SECONDS))
    else:
        row.failures += 1
        if row.failures >= FAILURES:
            doubled = FIRST_OPEN_SECONDS * 2 ** min(row.failures - FAILURES, 10)
            row.open_until = at + timedelta(seconds=min(doubled, LONGEST_OPEN_SECONDS))


def _out_of_service(row: AgentEndpoint, by: Actor) -> None:
    """Told once: monitoring reads the row, the audit has when and why."""
    if row.out_since is None:
        row.out_since = database_now()
        record(actor=by, action=SIGNED_OUT, agent=row.name, error=row.health_error)
    row.health = AgentEndpoint.OUT_OF_SERVICE
