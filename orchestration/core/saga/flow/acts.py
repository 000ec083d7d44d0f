"""What a person's act changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from orchestration.core.enums import Answer, Cause, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.draft import Draft, is_timer
from orchestration.core.saga.events import (
    AbortRequested,
    Act,
    ForceStopRequested,
    HoldRequested,
    ReleaseRequested,
    RerunRequested,
    ResolveRequested,
    RetryRequested,
    SkipRequested,
)
from orchestration.core.saga.flow.progress import begin_abort, finish
from orchestration.core.saga.guards import descendants
from orchestration.core.saga.state import StepState


def apply_act(draft: Draft, act: Act) -> Iterable[str]:
    match act:
        case AbortRequested():
            _reopen(draft)
            begin_abort(draft, act.cause)
        case HoldRequested():
            draft.hold(act.note or f"held by {act.by or 'a person'}")
        case ReleaseRequested():
            draft.unhold()
        case RetryRequested():
            step = draft.step(act.step_id)
            draft.put(act.step_id, status=StepStatus.PENDING, blocked=False, budget_from=step.attempt, chances=0)
            _unhold_when_unblocked(draft)
        case SkipRequested():
            draft.put(act.step_id, status=StepStatus.SKIPPED, blocked=False)
            _unhold_when_unblocked(draft)
        case RerunRequested():
            _rerun(draft, act.step_id, held=act.rework)
        case ResolveRequested():
            _resolve(draft, act)
        case ForceStopRequested():
            _force_stop(draft)
        case _:
            assert_never(act)
    return draft.plan.order


def _resolve(draft: Draft, act: ResolveRequested) -> None:
    step = draft.step(act.step_id)
    if act.answer is Answer.RETRY or act.run_alternative:
        draft.put(
            act.step_id,
            undo=UndoStatus.PENDING,
            undo_budget_from=step.undo_attempt,
            alternative=act.run_alternative or step.alternative,
        )
        return
    undo = UndoStatus.FAILED if act.answer is Answer.ACCEPT_LOSS else UndoStatus.COMPENSATED
    draft.put(act.step_id, undo=undo, resolution=act.answer)
    draft.undo_next_iteration(act.step_id)


def _rerun(draft: Draft, step_id: str, *, held: bool) -> None:
    """What the repeated steps did so far is kept: an abort later has to undo it too, and a pivot stays passed.

    `held`: a hold stays.
    """
    _reopen(draft)
    draft.round += 1
    for again in (step_id, *descendants(draft.plan, step_id)):
        left = draft.step(again).effects
        draft.put(again, **_fields_of(StepState(iteration=draft.round, others=left)))
    if not held:
        draft.unhold()
    draft.start_deadline()


def _fields_of(step: StepState) -> dict[str, object]:
    return {name: getattr(step, name) for name in StepState.__slots__}


def _force_stop(draft: Draft) -> None:
    draft.cancel_in_flight()
    for step_id, step in list(draft.steps.items()):
        if step.status is StepStatus.RUNNING and not is_timer(draft.plan.steps[step_id], step):
            draft.put(step_id, status=StepStatus.UNKNOWN, maybe=True)
        elif step.status in (StepStatus.RUNNING, StepStatus.BACKING_OFF):
            draft.put(step_id, status=StepStatus.UNKNOWN if step.maybe else StepStatus.FAILED)
        if step.undo in (UndoStatus.COMPENSATING, UndoStatus.PENDING):
            draft.put(step_id, undo=UndoStatus.FAILED, undo_backing_off=False)
    finish(draft, RunStatus.FORCE_STOPPED, draft.cause or Cause.OPERATOR)


def _unhold_when_unblocked(draft: Draft) -> None:
    if not any(step.blocked for step in draft.steps.values()):
        draft.unhold()


def _reopen(draft: Draft) -> None:
    """An ended run goes on: a rerun, or the undo of a finished child."""
    if draft.status.is_end:
        draft.status = RunStatus.RUNNING
