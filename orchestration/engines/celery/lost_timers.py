"""Timers that a run waits for and that nobody rings: their rows were changed by other hands, or are from a backup."""

from __future__ import annotations

from django.db.models import Max

from foundation.db import statements
from orchestration.core.enums import StepStatus
from orchestration.core.saga.codec import STEP
from orchestration.models import Command, Run


def set_again(run: Run) -> int:
    """Make the latest timer of each step that waits for one ready again; returns how many.

    The flow ignores one that nothing waits for any more.
    """
    with statements.writing():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.finished_at is not None:
            return 0
        timers = locked.commands.filter(kind="start_timer", step_id__in=list(_waiting(locked)))
        there = set(timers.filter(status=Command.READY).values_list("step_id", flat=True))
        latest = timers.exclude(step_id__in=there).order_by().values("step_id").annotate(pk_=Max("pk"))
        lost = [row["pk_"] for row in latest]
        return Command.objects.filter(pk__in=lost).update(status=Command.READY, worker="", ended_at=None)


def _waiting(run: Run) -> list[str]:
    """Steps that go on by a timer."""
    rows = run.steps.filter(status__in=(StepStatus.RUNNING, StepStatus.BACKING_OFF)) | run.steps.filter(
        undo="compensating"
    )
    found = []
    for row in rows:
        state = STEP.validate_python(row.state)
        running = state.status is StepStatus.RUNNING and not state.parked
        if running or state.status is StepStatus.BACKING_OFF or state.undo_backing_off:
            found.append(row.step_id)
    return found
