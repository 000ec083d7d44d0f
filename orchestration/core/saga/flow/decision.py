"""One event folded into a run's state.

An event that means nothing now (a duplicate, a stale result, an act that is not legal) returns the very same state
and no command.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.core.enums import Purpose
from orchestration.core.saga.commands import Command
from orchestration.core.saga.draft import Draft
from orchestration.core.saga.events import (
    ActionEnded,
    EffectBroke,
    Event,
    HandlerOverdue,
    LookAgain,
    RunStarted,
    TimerFired,
)
from orchestration.core.saga.flow.acts import apply_act
from orchestration.core.saga.flow.ends import effect_broke, forward_ended, look_again, timer_fired, undo_ended
from orchestration.core.saga.flow.progress import go_on
from orchestration.core.saga.flow.relevance import means_something
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState


def decide(plan: Plan, state: SagaState, event: Event) -> tuple[SagaState, tuple[Command, ...]]:
    """Apply one event to the state, and return the new state and the commands."""
    if not means_something(plan, state, event):
        return state, ()
    draft = Draft(plan, state, event.at)
    was_full = not draft.has_room
    ready = _apply(draft, event)
    go_on(draft, plan.order if was_full else ready)
    return draft.frozen(), tuple(draft.commands)


def _apply(draft: Draft, event: Event) -> Iterable[str]:
    """Change the draft; returns the steps that may have become ready."""
    match event:
        case RunStarted():
            draft.open = len(draft.plan.steps)
            draft.start_deadline()
            return draft.plan.roots
        case ActionEnded(purpose=Purpose.FORWARD):
            return forward_ended(draft, event)
        case ActionEnded():
            undo_ended(draft, event)
            return ()
        case EffectBroke():
            effect_broke(draft, event)
            return ()
        case HandlerOverdue():
            draft.becomes_overdue = True
            draft.put(event.step_id, overdue=True)
            return ()
        case TimerFired():
            return timer_fired(draft, event)
        case LookAgain():
            return look_again(draft, event.step_id)
        case _:
            return apply_act(draft, event)
