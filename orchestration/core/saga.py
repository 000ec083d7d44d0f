"""The saga flow: `decide(plan, state, event) -> (state, commands)`. Rule numbers are those of docs/sagas.md.

An event that means nothing now (a duplicate, a stale result, an act that is not legal) returns the very same state
and no command.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from orchestration.core.commands import Command, Finish
from orchestration.core.draft import Draft, is_timer
from orchestration.core.events import (
    AbortRequested,
    Act,
    ActionEnded,
    EffectBroke,
    Event,
    ForceStopRequested,
    HandlerOverdue,
    HoldRequested,
    LookAgain,
    ReleaseRequested,
    RerunRequested,
    ResolveRequested,
    RetryRequested,
    RunStarted,
    SkipRequested,
    TimerFired,
)
from orchestration.core.guards import descendants, refusal
from orchestration.core.plan import Plan
from orchestration.core.state import SagaState, StepState
from orchestration.core.undo import in_waves, is_owed, needs_undo
from orchestration.core.words import Answer, Cause, Outcome, Purpose, RunStatus, StepStatus, UndoStatus


def decide(plan: Plan, state: SagaState, event: Event) -> tuple[SagaState, tuple[Command, ...]]:
    """Fold one event into the state and say what to do next."""
    if not _means_something(plan, state, event):
        return state, ()
    draft = Draft(plan, state, event.at)
    was_full = not draft.has_room
    ready = _apply(draft, event)
    _go_on(draft, plan.order if was_full else ready)
    return draft.frozen(), tuple(draft.commands)


# --- is the event still of interest? ---------------------------------------------------------------------------------


def _means_something(plan: Plan, state: SagaState, event: Event) -> bool:
    match event:
        case RunStarted():
            return state.status is RunStatus.PENDING
        case ActionEnded() | EffectBroke():
            return not state.status.is_end and _is_in_flight(state, event)
        case HandlerOverdue():
            is_told = state.step(event.step_id).overdue
            return not state.status.is_end and not is_told and _is_in_flight(state, event)
        case TimerFired():
            return not state.status.is_end and _is_due(state, event)
        case LookAgain():
            step = state.step(event.step_id)
            same = step.status is StepStatus.RUNNING and step.iteration == event.iteration
            return same and not state.aborting and not state.status.is_end and not step.knocked
        case _:
            return not refusal(plan, state, event)


def _is_in_flight(state: SagaState, event: ActionEnded | EffectBroke | HandlerOverdue) -> bool:
    step = state.step(event.step_id)
    if event.iteration != _iteration(step, event.purpose):
        return False
    if event.purpose is Purpose.FORWARD:
        waits = step.waiting or step.parked
        return step.status is StepStatus.RUNNING and not waits and event.attempt == step.attempt
    in_flight = step.undo is UndoStatus.COMPENSATING and not step.undo_backing_off
    return in_flight and event.attempt == step.undo_attempt


def _is_due(state: SagaState, event: TimerFired) -> bool:
    if event.timer == "deadline":
        return not state.aborting and event.iteration == state.round
    step = state.step(event.step_id)
    if event.iteration != _iteration(step, event.purpose):
        return False
    if event.purpose is Purpose.UNDO:
        return step.undo_backing_off and event.attempt == step.undo_attempt
    awaited = StepStatus.RUNNING if event.timer == "wait" else StepStatus.BACKING_OFF
    return step.status is awaited and event.attempt == step.attempt


def _iteration(step: StepState, purpose: Purpose) -> int:
    return step.iteration if purpose is Purpose.FORWARD else step.in_hand


# --- one event -------------------------------------------------------------------------------------------------------


def _apply(draft: Draft, event: Event) -> Iterable[str]:
    """Change the draft; returns the steps that may have become ready."""
    match event:
        case RunStarted():
            draft.open = len(draft.plan.steps)
            draft.start_deadline()
            return draft.plan.roots
        case ActionEnded(purpose=Purpose.FORWARD):
            return _forward_ended(draft, event)
        case ActionEnded():
            _undo_ended(draft, event)
            return ()
        case EffectBroke():
            _effect_broke(draft, event)
            return ()
        case HandlerOverdue():
            draft.becomes_overdue = True
            draft.put(event.step_id, overdue=True)
            return ()
        case TimerFired():
            return _timer_fired(draft, event)
        case LookAgain():
            return _look_again(draft, event.step_id)
        case _:
            return _act(draft, event)


def _forward_ended(draft: Draft, event: ActionEnded) -> Iterable[str]:
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
            return _forward_failed(draft, event.step_id, maybe, event.cause or Cause.FAILURE)
        case _:
            assert_never(event.outcome)


def _park(draft: Draft, step_id: str, maybe: bool) -> Iterable[str]:
    """The attempt cost nothing of the retry budget. One that was to look again while it was in flight does so now."""
    step = draft.step(step_id)
    draft.put(step_id, parked=True, maybe=maybe, budget_from=step.budget_from + 1)
    if draft.aborting:
        draft.cancel(step_id)
        return ()
    return _look_again(draft, step_id) if step.knocked else ()


def _come_again(draft: Draft, step_id: str, maybe: bool, seconds: float) -> Iterable[str]:
    """A circuit breaker held the attempt back: it cost nothing of the retry budget, and the next is due then."""
    if draft.aborting:
        return _forward_failed(draft, step_id, maybe, Cause.FAILURE)
    budget = draft.step(step_id).budget_from + 1
    draft.put(step_id, status=StepStatus.BACKING_OFF, maybe=maybe, budget_from=budget)
    draft.come_again(step_id, Purpose.FORWARD, seconds)
    return ()


def _look_again(draft: Draft, step_id: str) -> Iterable[str]:
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
        _block(draft, step_id, f"step '{step_id}' failed after the pivot, where nothing is undone")
    elif plan_step.pivot and maybe:
        _block(draft, step_id, f"nobody knows whether the pivot '{step_id}' was done")
    else:
        _begin_abort(draft, cause)
    return ()


def _undo_ended(draft: Draft, event: ActionEnded) -> None:
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


def _effect_broke(draft: Draft, event: EffectBroke) -> None:
    """A failure of our machinery undoes nothing: a person looks at it (traps table of the design)."""
    if event.purpose is Purpose.UNDO:
        draft.put(event.step_id, undo=UndoStatus.FAILED)
        return
    draft.put(event.step_id, status=StepStatus.UNKNOWN, maybe=True)
    if not draft.aborting:
        _block(draft, event.step_id, f"the machinery could not finish step '{event.step_id}': {event.error}")


def _timer_fired(draft: Draft, event: TimerFired) -> Iterable[str]:
    if event.timer == "deadline":
        if draft.pivoted:
            draft.hold("the deadline passed after the pivot, where nothing is undone")
        else:
            _begin_abort(draft, Cause.TIMED_OUT)
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


def _act(draft: Draft, act: Act) -> Iterable[str]:
    match act:
        case AbortRequested():
            _reopen(draft)
            _begin_abort(draft, act.cause)
        case HoldRequested():
            draft.hold(act.note or f"held by {act.by or 'a person'}")
        case ReleaseRequested():
            draft.unhold()
        case RetryRequested():
            step = draft.step(act.step_id)
            draft.put(act.step_id, status=StepStatus.PENDING, blocked=False, budget_from=step.attempt)
            _unhold_when_unblocked(draft)
        case SkipRequested():
            draft.put(act.step_id, status=StepStatus.SKIPPED, blocked=False)
            _unhold_when_unblocked(draft)
        case RerunRequested():
            _rerun(draft, act.step_id)
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


def _rerun(draft: Draft, step_id: str) -> None:
    """What the repeated steps did so far is kept: an abort later has to undo it too, and a pivot stays passed."""
    _reopen(draft)
    draft.round += 1
    for again in (step_id, *descendants(draft.plan, step_id)):
        left = draft.step(again).effects
        draft.put(again, **_fields_of(StepState(iteration=draft.round, others=left)))
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
    _finish(draft, RunStatus.FORCE_STOPPED, draft.cause or Cause.OPERATOR)


# --- ways through a run ----------------------------------------------------------------------------------------------


def _block(draft: Draft, step_id: str, reason: str) -> None:
    draft.put(step_id, blocked=True)
    draft.hold(reason)


def _unhold_when_unblocked(draft: Draft) -> None:
    if not any(step.blocked for step in draft.steps.values()):
        draft.unhold()


def _reopen(draft: Draft) -> None:
    """An ended run goes on: a rerun, or the undo of a finished child."""
    if draft.status.is_end:
        draft.status = RunStatus.RUNNING


def _begin_abort(draft: Draft, cause: Cause) -> None:
    """Stop the way forward. Nothing is undone before what flies has ended (rule 7)."""
    draft.aborting, draft.cause = True, cause
    draft.unhold()
    draft.cancel_in_flight()


def _go_on(draft: Draft, ready: Iterable[str]) -> None:
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
        _finish(draft, RunStatus.COMPLETED, None)


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
        _finish(draft, RunStatus.ROLLBACK_INCOMPLETE if lost else RunStatus.ROLLED_BACK, draft.cause)
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


def _finish(draft: Draft, status: RunStatus, cause: Cause | None) -> None:
    draft.status, draft.cause = status, cause
    draft.unhold()
    draft.commands.append(Finish(status=status, cause=cause))
