"""What the end of an attempt, a timer or a wait changes (rules 4 to 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from orchestration.core.enums import Answer, Cause, Outcome, Purpose, StepStatus, UndoStatus
from orchestration.core.saga.draft import Draft
from orchestration.core.saga.events import (
    ActionEnded,
    EffectBroke,
    TimerFired,
)
from orchestration.core.saga.flow.progress import begin_abort, block


def forward_ended(draft: Draft, event: ActionEnded) -> Iterable[str]:
    plan_step, step = draft.plan.steps[event.step_id], draft.step(event.step_id)
    maybe = event.maybe or (step.maybe and not event.probed)
    match event.outcome:
        case Outcome.SUCCEEDED if event.resume_at and event.resume_at > event.at and not draft.aborting:
            draft.wait_until(event.step_id, event.resume_at)
            return ()
        case Outcome.SUCCEEDED:
            draft.put(event.step_id, status=StepStatus.SUCCEEDED, maybe=False)
            draft.pivoted = draft.pivoted or plan_step.pivot
            return plan_step.dependents
        case Outcome.SKIPPED:
            draft.put(event.step_id, status=StepStatus.SKIPPED, maybe=maybe)
            return plan_step.dependents
        case Outcome.PARKED if event.retry_after is not None:
            return _come_again(draft, event.step_id, maybe, event.retry_after)
        case Outcome.PARKED:
            return _park(draft, event.step_id, maybe)
        case Outcome.RETRYABLE | Outcome.UNKNOWN | Outcome.FAILED:
            tries = step.attempt - step.budget_from
            if event.outcome is not Outcome.FAILED and tries <= plan_step.retry_count and not draft.aborting:
                draft.put(event.step_id, status=StepStatus.BACKING_OFF, maybe=maybe)
                draft.back_off(event.step_id, Purpose.FORWARD, tries, event.retry_after)
                return ()
            pause = _second_chance(draft, event)
            if pause is not None:
                draft.put(event.step_id, status=StepStatus.BACKING_OFF, maybe=maybe, chances=step.chances + 1)
                draft.come_again(event.step_id, Purpose.FORWARD, max(pause, event.retry_after or 0.0))
                return ()
            return _forward_failed(draft, event.step_id, maybe, event.cause or Cause.FAILURE)
        case _:
            assert_never(event.outcome)


def _second_chance(draft: Draft, event: ActionEnded) -> float | None:
    """Seconds until a step that would fail now is tried once more; None if it is not.

    What was refused has one chance; what people said no to, and a child that ended, have none.
    """
    plan_step, given, pauses = (
        draft.plan.steps[event.step_id],
        draft.step(event.step_id).chances,
        draft.plan.second_chances,
    )
    if draft.aborting or event.cause is not None or plan_step.external or plan_step.gate:
        return None
    most = min(1, len(pauses)) if event.outcome is Outcome.FAILED else len(pauses)
    return pauses[given] if given < most else None


def _park(draft: Draft, step_id: str, maybe: bool) -> Iterable[str]:
    """The attempt cost nothing of the retry budget. One that was to look again while it was in flight does so now."""
    step = draft.step(step_id)
    draft.put(step_id, parked=True, maybe=maybe, budget_from=step.budget_from + 1)
    if draft.aborting:
        draft.cancel(step_id)
        return ()
    return look_again(draft, step_id) if step.knocked else ()


def _come_again(draft: Draft, step_id: str, maybe: bool, seconds: float) -> Iterable[str]:
    """A circuit breaker held the attempt back: it cost nothing of the retry budget, and the next is due then."""
    if draft.aborting:
        return _forward_failed(draft, step_id, maybe, Cause.FAILURE)
    budget = draft.step(step_id).budget_from + 1
    draft.put(step_id, status=StepStatus.BACKING_OFF, maybe=maybe, budget_from=budget)
    draft.come_again(step_id, Purpose.FORWARD, seconds)
    return ()


def look_again(draft: Draft, step_id: str) -> Iterable[str]:
    if draft.step(step_id).parked:
        draft.put(step_id, status=StepStatus.PENDING)
        return (step_id,)
    draft.put(step_id, knocked=True)
    return ()


def _forward_failed(draft: Draft, step_id: str, maybe: bool, cause: Cause) -> Iterable[str]:
    plan_step = draft.plan.steps[step_id]
    draft.put(step_id, status=StepStatus.UNKNOWN if maybe else StepStatus.FAILED, maybe=maybe)
    if not plan_step.critical or draft.aborting:
        return plan_step.dependents
    if draft.pivoted:
        block(draft, step_id, f"step '{step_id}' failed after the pivot, where nothing is undone")
    elif plan_step.pivot and maybe:
        block(draft, step_id, f"nobody knows whether the pivot '{step_id}' was done")
    else:
        begin_abort(draft, cause)
    return ()


def undo_ended(draft: Draft, event: ActionEnded) -> None:
    plan_step, step = draft.plan.steps[event.step_id], draft.step(event.step_id)
    if event.outcome is Outcome.SUCCEEDED:
        resolution = Answer.ALTERNATIVE if step.alternative else None
        draft.put(event.step_id, undo=UndoStatus.COMPENSATED, resolution=resolution)
        draft.undo_next_iteration(event.step_id)
        return
    if event.outcome is Outcome.PARKED and event.retry_after is not None:
        draft.put(event.step_id, undo_backing_off=True, undo_budget_from=step.undo_budget_from + 1)
        draft.come_again(event.step_id, Purpose.UNDO, event.retry_after)
        return
    tries = step.undo_attempt - step.undo_budget_from
    can_try_again = event.outcome in (Outcome.RETRYABLE, Outcome.UNKNOWN)
    if can_try_again and tries <= plan_step.compensation_retry_count:
        draft.put(event.step_id, undo_backing_off=True)
        draft.back_off(event.step_id, Purpose.UNDO, tries, event.retry_after)
    else:
        draft.put(event.step_id, undo=UndoStatus.FAILED)


def effect_broke(draft: Draft, event: EffectBroke) -> None:
    """A failure of our machinery undoes nothing: the run is held until a person acts."""
    if event.purpose is Purpose.UNDO:
        draft.put(event.step_id, undo=UndoStatus.FAILED)
        return
    draft.put(event.step_id, status=StepStatus.UNKNOWN, maybe=True)
    if not draft.aborting:
        block(draft, event.step_id, f"the machinery could not finish step '{event.step_id}': {event.error}")


def timer_fired(draft: Draft, event: TimerFired) -> Iterable[str]:
    if event.timer == "deadline":
        if draft.pivoted:
            draft.hold("the deadline passed after the pivot, where nothing is undone")
        else:
            begin_abort(draft, Cause.TIMED_OUT)
        return ()
    if event.timer == "wait":
        draft.put(event.step_id, status=StepStatus.SUCCEEDED)
        draft.pivoted = draft.pivoted or draft.plan.steps[event.step_id].pivot
        return draft.plan.steps[event.step_id].dependents
    if event.purpose is Purpose.FORWARD:
        draft.put(event.step_id, status=StepStatus.PENDING)
        return (event.step_id,)
    draft.put(event.step_id, undo=UndoStatus.PENDING, undo_backing_off=False)
    return ()
