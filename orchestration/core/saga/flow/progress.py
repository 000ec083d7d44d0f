"""What follows from a change: launch what can be launched, undo what is to be undone, name the status."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.core.enums import Answer, Cause, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.commands import Finish
from orchestration.core.saga.compensation import in_waves, is_owed, needs_undo
from orchestration.core.saga.draft import Draft


def block(draft: Draft, step_id: str, reason: str) -> None:
    draft.put(step_id, blocked=True)
    draft.hold(reason)


def begin_abort(draft: Draft, cause: Cause) -> None:
    """Stop the way forward. Nothing is undone before the attempts in flight have ended (rule 7)."""
    draft.aborting, draft.cause = True, cause
    draft.unhold()
    draft.cancel_in_flight()


def go_on(draft: Draft, ready: Iterable[str]) -> None:
    """Launch what can be launched, end what has ended, and name the status."""
    if draft.status.is_end:
        return
    if draft.aborting and not draft.undoing and draft.drained:
        _start_undo(draft)
    if draft.undoing:
        _undo_on(draft)
    elif not draft.aborting:
        _forward_on(draft, ready)
    if not draft.status.is_end:
        draft.status = _status(draft)


def _forward_on(draft: Draft, ready: Iterable[str]) -> None:
    todo = list(ready)
    for step_id in todo:
        if not _is_ready(draft, step_id):
            continue
        if _lacks_output(draft, step_id):
            draft.put(step_id, status=StepStatus.SKIPPED)
            todo.extend(draft.plan.steps[step_id].dependents)
        elif not draft.held and (draft.has_room or draft.plan.steps[step_id].wait_seconds is not None):
            draft.run_forward(step_id)
    if draft.open == 0 and draft.drained:
        finish(draft, RunStatus.COMPLETED, None)


def _is_ready(draft: Draft, step_id: str) -> bool:
    if draft.step(step_id).status is not StepStatus.PENDING:
        return False
    return all(draft.step(dependency).settled for dependency in draft.plan.steps[step_id].dependencies)


def _lacks_output(draft: Draft, step_id: str) -> bool:
    """A step whose action names an output that an earlier, non-critical failure left missing (rule 6)."""
    return any(
        not draft.plan.steps[needed].has_default
        and draft.step(needed).settled
        and draft.step(needed).status is not StepStatus.SUCCEEDED
        for needed in draft.plan.steps[step_id].needs
    )


def _start_undo(draft: Draft) -> None:
    if draft.pivoted:
        _hold_past_pivot(draft)
        return
    draft.undoing = True
    for step_id, step in list(draft.steps.items()):
        if step.status is StepStatus.RUNNING:
            draft.put(step_id, status=StepStatus.SKIPPED)
        elif step.status is StepStatus.BACKING_OFF or (step.status is StepStatus.PENDING and step.attempt):
            draft.put(step_id, status=StepStatus.UNKNOWN if step.maybe else StepStatus.FAILED)
        elif step.blocked:
            draft.put(step_id, blocked=False)
    for step_id, step in list(draft.steps.items()):
        if needs_undo(draft.plan, step_id, step):
            if step.executed:
                draft.put(step_id, undo=UndoStatus.PENDING)
            else:
                draft.undo_next_iteration(step_id)


def _hold_past_pivot(draft: Draft) -> None:
    """The pivot succeeded while the run drained: the way back is closed, so a person leads it forward (rule 9)."""
    draft.aborting, draft.cause = False, None
    for step_id, step in list(draft.steps.items()):
        lost = step.status in (StepStatus.FAILED, StepStatus.UNKNOWN)
        if lost and draft.plan.steps[step_id].critical:
            draft.put(step_id, blocked=True)
        elif step.parked:  # what it waited for was given up meanwhile, so it asks anew
            draft.put(step_id, status=StepStatus.PENDING)
    draft.hold("the run was to be aborted, but its pivot had succeeded meanwhile, so nothing is undone")


def _undo_on(draft: Draft) -> None:
    waves = in_waves(draft.plan, (s for s, step in draft.steps.items() if is_owed(step)))
    if not waves:
        lost = any(effect.resolution is Answer.ACCEPT_LOSS for step in draft.steps.values() for effect in step.effects)
        finish(draft, RunStatus.ROLLBACK_INCOMPLETE if lost else RunStatus.ROLLED_BACK, draft.cause)
        return
    one_at_a_time = draft.plan.compensation_order == "sequential"
    for step_id in waves[0]:
        if draft.step(step_id).undo is UndoStatus.COMPENSATING and one_at_a_time:
            return
        if draft.step(step_id).undo is UndoStatus.PENDING and draft.has_room:
            draft.run_undo(step_id)
            if one_at_a_time:
                return


def _status(draft: Draft) -> RunStatus:
    if draft.overdue:
        return RunStatus.NEEDS_ATTENTION
    if draft.undoing:
        waves = in_waves(draft.plan, (s for s, step in draft.steps.items() if is_owed(step)))
        stuck = all(draft.step(step_id).undo is UndoStatus.FAILED for step_id in waves[0])
        return RunStatus.NEEDS_ATTENTION if stuck else RunStatus.COMPENSATING
    if draft.aborting:
        return RunStatus.COMPENSATING
    if draft.held:
        return RunStatus.HELD
    working = draft.counts["flying"] or draft.counts["backing_off"]
    parked = draft.counts["waiting"] or draft.counts["external"]
    return RunStatus.WAITING if parked and not working else RunStatus.RUNNING


def finish(draft: Draft, status: RunStatus, cause: Cause | None) -> None:
    draft.status, draft.cause = status, cause
    draft.unhold()
    draft.commands.append(Finish(status=status, cause=cause))
