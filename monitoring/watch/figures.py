"""Figures of runs that are read only where a recovery policy, or a person, asks for them: one query each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import CharField, Count, DurationField, ExpressionWrapper, F, Max, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat

from monitoring.core.facts import Counted
from orchestration.core.enums import Outcome, RunStatus
from orchestration.models import Command, Event

OF_ATTEMPTS = frozenset({"error_rate", "attempts", "retry_count", "worker_losses", "busy_seconds"})
NOT_BEGUN = (Outcome.PARKED, Outcome.SKIPPED)
FAILURES = (Outcome.FAILED, Outcome.RETRYABLE, Outcome.UNKNOWN)
STATUSES = tuple(f"run.{status.value}" for status in RunStatus)


def counted_attempts(run_ids: Sequence[int]) -> dict[int, Counted]:
    """The attempts of each of these runs; those of runs without any are all 0."""
    begun = Command.objects.filter(run_id__in=run_ids, kind="run_action", status__in=(Command.RUNNING, Command.DONE))
    done = Q(status=Command.DONE)
    each = Concat("step_id", Value(" "), "purpose", Value(" "), Cast("iteration", CharField()))
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    rows = (
        begun.exclude(outcome__in=NOT_BEGUN)
        .order_by()
        .values("run_id")
        .annotate(
            attempts=Count("id"), begun=Count(each, distinct=True), over=Count("id", filter=done),
            bad=Count("id", filter=Q(outcome__in=FAILURES)), lost=Sum(F("tries") - 1, filter=Q(tries__gt=1)),
            busy=Coalesce(Sum(took, filter=done & Q(started_at__isnull=False)), timedelta(0)),
        )
    )  # fmt: skip
    found = {pk: Counted() for pk in run_ids}
    for row in rows:
        found[row["run_id"]] = Counted(
            attempts=row["attempts"], retries=row["attempts"] - row["begun"], ended=row["over"], failed=row["bad"],
            worker_losses=row["lost"] or 0, busy=row["busy"].total_seconds(),
        )  # fmt: skip
    return found


def entered_at(run_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of these runs came into its status: the last entry of its log that says so."""
    rows = Event.objects.filter(run_id__in=run_ids, kind__in=STATUSES).order_by().values("run_id")
    return {row["run_id"]: row["last"] for row in rows.annotate(last=Max("at"))}
