"""One pass of recovery: verdicts that are due, then attempts whose brakes let them."""

from __future__ import annotations

import time
from datetime import datetime

from django.conf import settings

from foundation.clock import database_now
from foundation.guarded import guarded, logged
from foundation.telemetry import observe
from monitoring.models import RecoveryAttempt, RunHealth
from monitoring.performing.perform import perform
from monitoring.recovery import claims, records, storms
from monitoring.watch.sweep import judge_and_store

MOST_WATCHED = 100
SECONDS = 1.0
"""So long a pass goes on to perform; what it has claimed beyond is taken up by the next one, or another worker."""


def recover() -> int:
    """A pass; returns how many attempts were performed. Nothing while monitoring is off."""
    if not settings.WORKFLOW_MONITORING_ENABLED:
        return 0
    now = database_now()
    due = RecoveryAttempt.objects.filter(state__in=RecoveryAttempt.OPEN, lease_until__lte=now)
    if not due.exists():
        storms.end_what_is_over(now)
        return 0
    _verify()
    began, done = time.monotonic(), 0
    for attempt in claims.claim(now):
        if time.monotonic() - began > SECONDS:
            _left(attempt)
            continue
        since = _since(attempt)
        guarded(lambda attempt=attempt: perform(attempt), logged(records.log, "attempt %s", attempt.pk))  # type: ignore[misc]
        if since is not None:
            observe("zen_recovery_reaction_seconds", (database_now() - since).total_seconds())
        done += 1
    return done


def _since(attempt: RecoveryAttempt) -> datetime | None:
    """Since when the run is in the trouble that its first attempt is about; None of a later one, or of one put off."""
    if attempt.number != 1 or attempt.storm or attempt.approval:
        return None
    return RunHealth.objects.filter(pk=attempt.run_id).values_list("since", flat=True).first()


def _verify() -> None:
    """Judge the runs whose attempt waits for its verdict; the later, the less often."""
    now = database_now()
    rows = list(
        RecoveryAttempt.objects.filter(state=RecoveryAttempt.WATCHING, lease_until__lte=now).order_by("lease_until")[
            :MOST_WATCHED
        ]
    )
    for row in rows:
        waited = now - (row.acted_at or row.decided_at)
        RecoveryAttempt.objects.filter(pk=row.pk, state=row.state).update(lease_until=now + claims.pause(waited))
    if rows:
        judge_and_store([row.run_id for row in rows])


def _left(attempt: RecoveryAttempt) -> None:
    RecoveryAttempt.objects.filter(pk=attempt.pk, state=attempt.state).update(lease_until=database_now())
