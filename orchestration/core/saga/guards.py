"""What a person may do to a run now. The flow, the update validator, the API and the pages all ask here."""

from __future__ import annotations

from typing import assert_never

from orchestration.core.enums import Answer, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.compensation import reached_pivot
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
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState


def refusal(plan: Plan, state: SagaState, act: Act) -> str:
    """Why `act` is not legal now, with the way out; '' when it is legal."""
    step_id = getattr(act, "step_id", None)
    if step_id is not None and step_id not in plan.steps:
        return f"there is no step '{step_id}'; the steps are: {', '.join(plan.order)}"
    if state.status.is_end:
        return _after_the_end(plan, state, act)
    match act:
        case AbortRequested():
            return _abort(plan, state)
        case HoldRequested():
            if state.aborting:
                return "the run is compensating; only forward work can be held"
            return f"the run is already held: {state.hold_reason}" if state.held else ""
        case ReleaseRequested():
            return _release(state)
        case RetryRequested():
            return _retry(state, act.step_id)
        case RerunRequested():
            return _rework(plan, state, act) if act.rework else _rerun(plan, state, act.step_id)
        case SkipRequested():
            return _skip(plan, state, act.step_id)
        case ResolveRequested():
            return _resolve(state, act)
        case ForceStopRequested():
            return ""
        case _:
            assert_never(act)


def blocked_steps(state: SagaState) -> tuple[str, ...]:
    return tuple(step_id for step_id, step in state.steps.items() if step.blocked)


def _after_the_end(plan: Plan, state: SagaState, act: Act) -> str:
    completed = state.status is RunStatus.COMPLETED
    if isinstance(act, AbortRequested) and act.undo_completed and completed:
        return _abort(plan, state)
    if isinstance(act, RerunRequested) and completed and not act.rework:
        return _rerun(plan, state, act.step_id)
    return f"the run has ended ({state.status}); restart it to run the definition again"


def _abort(plan: Plan, state: SagaState) -> str:
    if state.aborting:
        return "the run is already compensating; cancelling again changes nothing"
    if state.pivoted:
        passed = f"step '{reached_pivot(plan, state)}' is the pivot and has succeeded"
        return f"{passed}, so nothing is undone; retry or skip what blocks the run"
    return ""


def _release(state: SagaState) -> str:
    if not state.held:
        return f"the run is not held, it is {state.status}"
    blocked = blocked_steps(state)
    return f"first retry or skip what blocks the run: {', '.join(blocked)}" if blocked else ""


def _retry(state: SagaState, step_id: str) -> str:
    step = state.step(step_id)
    if step.blocked:
        return ""
    if step.undo is UndoStatus.FAILED and step.resolution is None:
        return f"the compensation of '{step_id}' failed; resolve it with the answer retry"
    return f"step '{step_id}' is {step.status} and blocks nothing; only a failed step that holds its run can be retried"


def _rerun(plan: Plan, state: SagaState, step_id: str) -> str:
    if state.step(step_id).status is StepStatus.PENDING:
        return f"step '{step_id}' has not run yet"
    if state.status is RunStatus.COMPLETED:
        return ""
    if not state.held or state.flying or state.external:
        return f"the run is {state.status}; hold it and let what is running end, or wait for it to complete"
    after = {step_id, *descendants(plan, step_id)}
    outside = [s for s in blocked_steps(state) if s not in after]
    return f"first retry or skip what blocks the run: {', '.join(outside)}" if outside else ""


def _rework(plan: Plan, state: SagaState, act: RerunRequested) -> str:
    """What is repeated must not be at work, but for who asks; what goes on beside it may. A gate does nothing but ask:
    people may have answered before its attempt has ended."""
    step_id = act.step_id
    if state.aborting:
        return "the run is compensating; there is no forward step to repeat"
    if state.step(step_id).status is not StepStatus.SUCCEEDED:
        return f"step '{step_id}' is {state.step(step_id).status}; only what is done can be reworked"
    busy = [one for one in at_work_after(plan, state, step_id) if one != act.asker]
    return f"step '{busy[0]}', which comes after '{step_id}', is at work" if busy else ""


def at_work_after(plan: Plan, state: SagaState, step_id: str) -> list[str]:
    """The steps behind this one that do something now, in the plan's order; one that waits, or a gate, does not."""
    behind = {step_id, *descendants(plan, step_id)}

    def works(one: str) -> bool:
        step, planned = state.step(one), plan.steps[one]
        waits = step.parked or step.waiting or planned.wait_seconds is not None or planned.gate
        return step.status is StepStatus.RUNNING and not waits

    return [one for one in plan.order if one in behind and works(one)]


def _skip(plan: Plan, state: SagaState, step_id: str) -> str:
    if state.aborting:
        return "the run is compensating; there is no forward step to skip"
    step = state.step(step_id)
    if plan.steps[step_id].gate or (plan.steps[step_id].gated and not step.blocked):
        return f"step '{step_id}' needs an approval, which cannot be skipped; decide its request, or abort the run"
    waits = step.status is StepStatus.RUNNING and (step.waiting or plan.steps[step_id].wait_seconds is not None)
    if step.blocked or waits or step.status in (StepStatus.PENDING, StepStatus.BACKING_OFF):
        return ""
    return f"step '{step_id}' is {step.status}; only a step that waits or blocks the run can be skipped"


def _resolve(state: SagaState, act: ResolveRequested) -> str:
    if act.run_alternative and act.answer is not Answer.ALTERNATIVE:
        return f"an action comes only with the answer {Answer.ALTERNATIVE}, not {act.answer}"
    step = state.step(act.step_id)
    if step.undo is UndoStatus.FAILED and step.resolution is None:
        return ""
    return f"the compensation of '{act.step_id}' is {step.undo}; there is nothing to resolve"


def descendants(plan: Plan, step_id: str) -> frozenset[str]:
    found: set[str] = set()
    todo = list(plan.steps[step_id].dependents)
    while todo:
        next_id = todo.pop()
        if next_id not in found:
            found.add(next_id)
            todo.extend(plan.steps[next_id].dependents)
    return frozenset(found)
