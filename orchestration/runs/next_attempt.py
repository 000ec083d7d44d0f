"""When the timer of a step fires, for people.

Read from its row; where an engine has no such row, computed as the flow computed it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestration.core.backoff import LONGEST_RETRY_AFTER, delay_seconds, jitter_key
from orchestration.core.enums import Outcome, Purpose, StepStatus, UndoStatus
from orchestration.core.saga.plan import Plan, PlanStep
from orchestration.core.saga.state import StepState
from orchestration.models import Command, Run


def next_try(run: Run, plan: Plan, step_id: str, step: StepState) -> datetime | None:
    """When the step goes on by itself (aware UTC); None when it waits for no time."""
    plan_step = plan.steps[step_id]
    timer = run.commands.filter(kind="start_timer", step_id=plan_step.step_id, status=Command.READY).last()
    if timer is not None:
        return timer.due_at
    if step.undo is UndoStatus.COMPENSATING:
        return _backed_off(run, plan, plan_step, step, Purpose.UNDO) if step.undo_backing_off else None
    if step.status is StepStatus.BACKING_OFF:
        return _backed_off(run, plan, plan_step, step, Purpose.FORWARD)
    return _waited(run, plan_step, step) if step.status is StepStatus.RUNNING else None


def _backed_off(run: Run, plan: Plan, plan_step: PlanStep, step: StepState, purpose: Purpose) -> datetime | None:
    forward = purpose is Purpose.FORWARD
    attempt, iteration = (step.attempt, step.iteration) if forward else (step.undo_attempt, step.in_hand)
    since = _latest(run, plan_step.step_id, f"{'step' if forward else 'undo'}.attempt_ended")
    row = _attempt(run, plan_step.step_id, purpose, iteration, attempt)
    if since is None or row is None:
        return None
    if row.outcome == Outcome.PARKED and row.retry_after is not None:  # by a circuit breaker
        return since + timedelta(seconds=min(max(0.0, row.retry_after), LONGEST_RETRY_AFTER))
    if forward and second_chance(run, plan, plan_step.step_id, step):
        pause = plan.second_chances[min(step.chances, len(plan.second_chances)) - 1]
        return since + timedelta(seconds=min(max(pause, row.retry_after or 0.0), LONGEST_RETRY_AFTER))
    seconds = delay_seconds(
        key=jitter_key(run.workflow_id, plan_step.step_id, purpose, iteration),
        step=plan_step,
        purpose=purpose,
        tries=attempt - (step.budget_from if forward else step.undo_budget_from),
        retry_after=row.retry_after,
    )
    return since + timedelta(seconds=seconds)


def second_chance(run: Run, plan: Plan, step_id: str, step: StepState) -> tuple[int, int] | None:
    """Which second chance a step that backs off waits for, and of how many; None when it is tried again as ever."""
    if step.status is not StepStatus.BACKING_OFF or not step.chances:
        return None
    if step.attempt - step.budget_from > plan.steps[step_id].retry_count:
        return step.chances, max(step.chances, len(plan.second_chances))
    last = _attempt(run, step_id, Purpose.FORWARD, step.iteration, step.attempt)
    return (1, 1) if last is not None and last.outcome == Outcome.FAILED else None


def _waited(run: Run, plan_step: PlanStep, step: StepState) -> datetime | None:
    if plan_step.wait_seconds is not None:
        since = _latest(run, plan_step.step_id, "step.running")
        return None if since is None else since + timedelta(seconds=plan_step.wait_seconds)
    row = _attempt(run, plan_step.step_id, Purpose.FORWARD, step.iteration, step.attempt) if step.waiting else None
    return datetime.fromisoformat(row.detail["resume_at"]) if row is not None and "resume_at" in row.detail else None


def _latest(run: Run, step_id: str, kind: str) -> datetime | None:
    return run.events.filter(step_id=step_id, kind=kind).order_by("seq").values_list("at", flat=True).last()


def _attempt(run: Run, step_id: str, purpose: Purpose, iteration: int, attempt: int) -> Command | None:
    return run.commands.filter(
        kind="run_action", step_id=step_id, purpose=purpose, iteration=iteration, attempt=attempt
    ).first()
