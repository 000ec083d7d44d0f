"""Sagas as a whole, each minute, from what was measured: whether too many runs fail, or none is started any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from foundation.clock import database_now
from foundation.db import statements
from monitoring.alerting.site import follow
from monitoring.core.alerting import SAGA
from monitoring.core.health import Issue
from monitoring.core.site import sagas
from monitoring.core.site.sagas import Ended
from monitoring.queries.series import series_by
from monitoring.watch import loops
from orchestration.core.enums import RunStatus

EVERY = timedelta(seconds=60)
ENDED, STARTED = "zen_runs_ended_total", "zen_runs_started_total"
OTHERS = "other"
"""What stands for the sagas that have no series of their own."""

RECENT = timedelta(hours=2)


def look() -> None:
    """Open and close the alerts of sagas, if it is this process's turn."""
    if not settings.WORKFLOW_MONITORING_ENABLED or not loops.held(loops.SAGAS, EVERY):
        return
    with loops.turn(loops.SAGAS) as one:
        now = database_now()
        found = [*_failing(now), *_silent(now)]
        with statements.writing():
            follow(found, now, SAGA)
        one.detail = {"issues": len(found)}


def _failing(now: datetime) -> Iterator[Issue]:
    lately = _ended(now - sagas.WINDOW, now, "m")
    if not any(one.runs >= sagas.RUNS_LEAST for one in lately.values()):
        return
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    usually = _ended(midnight - sagas.USUAL_OVER, midnight, "d")
    for saga_id, ended in lately.items():
        issue = sagas.failing(saga_id, ended, usually.get(saga_id, Ended()), now)
        if issue is not None:
            yield issue


def _ended(start: datetime, end: datetime, step: str) -> dict[str, Ended]:
    completed = {"kind": "saga", "status": RunStatus.COMPLETED.value}
    good = _sums(ENDED, completed, start, end, step)
    runs = _sums(ENDED, {"kind": "saga"}, start, end, step)
    return {saga_id: Ended(runs=many, failed=many - good.get(saga_id, 0.0)) for saga_id, many in runs.items()}


def _sums(name: str, labels: dict[str, str], start: datetime, end: datetime, step: str) -> dict[str, float]:
    found = series_by(name, "saga_id", labels, start, end, step)
    return {saga_id: sum(one.count for one in points) for saga_id, points in found.items() if saga_id != OTHERS}


def _silent(now: datetime) -> Iterator[Issue]:
    """The hour that is running is no whole one; where the gap is short, minutes tell when the last start was."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    hours = series_by(STARTED, "saga_id", {"kind": "saga"}, hour - timedelta(hours=sagas.HOURS), now, "h")
    weekly = {saga_id: points for saga_id, points in hours.items() if saga_id != OTHERS}
    if not any(sagas.gap([one.count for one in points if one.at < hour]) for points in weekly.values()):
        return
    minutes = series_by(STARTED, "saga_id", {"kind": "saga"}, now - RECENT, now, "m")
    for saga_id, points in weekly.items():
        ends = [one.at + timedelta(minutes=1) for one in minutes.get(saga_id, ()) if one.count]
        ends += [
            one.at + timedelta(hours=1) for one in points if one.count and one.at + timedelta(hours=1) <= now - RECENT
        ]
        whole = [one.count for one in points if one.at < hour]
        issue = sagas.silent(saga_id, whole, max(ends, default=None), now)
        if issue is not None:
            yield issue
