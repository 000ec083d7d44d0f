"""Whether an event still means something: a duplicate, or a result of an earlier try, does not."""

from __future__ import annotations

from orchestration.core.enums import Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.events import (
    ActionEnded,
    EffectBroke,
    Event,
    HandlerOverdue,
    LookAgain,
    RunStarted,
    TimerFired,
)
from orchestration.core.saga.guards import refusal
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState, StepState


def means_something(plan: Plan, state: SagaState, event: Event) -> bool:
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
