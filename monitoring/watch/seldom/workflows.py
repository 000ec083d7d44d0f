"""Runs on Temporal that stand still, or have many events: what its server keeps of them is asked, and noted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from foundation.clock import database_now, iso
from foundation.db import statements
from foundation.errors import Unreachable
from monitoring.core.enums import HealthStatus
from monitoring.models import RunHealth
from monitoring.watch import loops

EVERY, LONG_EVERY = timedelta(seconds=10), timedelta(minutes=5)
AGAIN = timedelta(minutes=10)
"""A run that stands still is asked about once in so long."""

MOST_AT_ONCE, MOST_LOOKED_AT = 25, 500
MANY = 5000
"""Decisions of a run from which on its history may be long: each is several events of it."""

SUSPECT = frozenset({"stalled", "workflow_lost", "near_limit"})


def look() -> None:
    """Ask about those that stand still, and each five minutes about those with many events, if it is our turn."""
    if not settings.WORKFLOW_MONITORING_ENABLED or not settings.TEMPORAL_ADDRESS:
        return
    if loops.held(loops.HISTORIES, LONG_EVERY):
        with loops.turn(loops.HISTORIES) as one:
            one.detail = {"asked": _ask(_long())}
    if loops.held(loops.WORKFLOWS, EVERY):
        with loops.turn(loops.WORKFLOWS) as one:
            one.detail = {"asked": _ask(_still(database_now()))}


def _still(now: datetime) -> list[RunHealth]:
    """Critical ones in which nothing happens and nothing is waited for, that were not asked about lately."""
    found = RunHealth.objects.filter(engine="temporal", ended=False, status=HealthStatus.CRITICAL).order_by("since")
    rows = [row for row in found.select_related("run")[:MOST_LOOKED_AT] if _is_suspect(row) and _is_due(row, now)]
    return rows[:MOST_AT_ONCE]


def _is_suspect(row: RunHealth) -> bool:
    return any(issue.get("code") in SUSPECT for issue in row.issues)


def _is_due(row: RunHealth, now: datetime) -> bool:
    asked = (row.server or {}).get("asked_at")
    return asked is None or now - datetime.fromisoformat(asked) >= AGAIN


def _long() -> list[RunHealth]:
    """Those with many events, the longest first."""
    found = RunHealth.objects.filter(engine="temporal", ended=False, version__gte=MANY).order_by("-version")
    return list(found.select_related("run")[:MOST_AT_ONCE])


def _ask(rows: Sequence[RunHealth]) -> int:
    """Note what the server says; the runs are judged anew. 0 while it is away."""
    if not rows:
        return 0
    from orchestration.engines.temporal.describing import MOST_EVENTS, describe  # noqa: PLC0415 - temporalio is an extra

    try:
        found = describe([row.run.workflow_id for row in rows])
    except Unreachable:
        return 0
    now = database_now()
    with statements.writing():
        for row in rows:
            kept = found.get(row.run.workflow_id)
            if kept is not None:
                told = {
                    "asked_at": iso(now), "version": row.version, "known": kept.known, "history": kept.history,
                    "most": MOST_EVENTS,
                }  # fmt: skip
                RunHealth.objects.filter(pk=row.pk, ended=False).update(server=told, look_at=now)
    return len(found)
