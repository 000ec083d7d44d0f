"""The event log's entries: what one decision made true, in words. Pure, so that both engines keep the same log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from orchestration.core.enums import Outcome, Purpose, UndoStatus
from orchestration.core.saga.events import (
    ActionEnded,
    EffectBroke,
    Event,
    HandlerOverdue,
    LookAgain,
    RunStarted,
    TimerFired,
)
from orchestration.core.saga.state import SagaState, StepState

NOT_BEGUN = (Outcome.PARKED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    at: datetime
    kind: str
    step_id: str = ""
    data: dict[str, JsonValue] = field(default_factory=dict)


def facts_of(before: SagaState, event: Event, after: SagaState) -> tuple[Fact, ...]:
    """The event itself first, then each step and the run where their status changed otherwise."""
    if after is before:
        return ()
    facts = [_own(event), *_repeated(event)]
    changed = [(step_id, before.step(step_id), after.step(step_id)) for step_id in changed_steps(before, after)]
    facts += [
        Fact(at=event.at, kind=f"step.{new.status}", step_id=step_id, data=_about(old, new))
        for step_id, old, new in changed
        if new.status is not old.status
    ]
    facts += [fact for step_id, old, new in changed for fact in _undo_facts(event.at, step_id, old, new)]
    if after.status is not before.status:
        about: dict[str, JsonValue] = {}
        if after.cause:
            about["cause"] = after.cause.value
        if after.hold_reason:
            about["reason"] = after.hold_reason
        facts.append(Fact(at=event.at, kind=f"run.{after.status}", data=about))
    return tuple(facts)


def _about(old: StepState, new: StepState) -> dict[str, JsonValue]:
    data: dict[str, JsonValue] = {"attempt": new.attempt}
    return data | {"second_chance": new.chances} if new.chances > old.chances else data


def _undo_facts(at: datetime, step_id: str, old: StepState, new: StepState) -> Iterator[Fact]:
    """By iteration: one decision may close the undo of one and take the next in hand."""
    before = {effect.iteration: effect.undo for effect in old.others} | {old.in_hand: old.undo}
    after = [*((effect.iteration, effect.undo) for effect in new.others), (new.in_hand, new.undo)]
    for iteration, undo in after:
        if undo is not before.get(iteration, UndoStatus.NOT_NEEDED):
            attempt = new.undo_attempt if iteration == new.in_hand else old.undo_attempt
            data: dict[str, JsonValue] = {"attempt": attempt}
            if new.iteration > 1:
                data["iteration"] = iteration
            yield Fact(at=at, kind=f"undo.{undo}", step_id=step_id, data=data)


def changed_steps(before: SagaState, after: SagaState) -> tuple[str, ...]:
    """Ids of the steps whose state is another object than before: a decision copies only what it changes."""
    old = before.steps
    return tuple(step_id for step_id, step in after.steps.items() if old.get(step_id) is not step)


def _own(event: Event) -> Fact:
    match event:
        case RunStarted():
            return Fact(at=event.at, kind="run.started")
        case ActionEnded():
            data: dict[str, JsonValue] = {"attempt": event.attempt, "outcome": event.outcome.value}
            if event.iteration > 1:
                data["iteration"] = event.iteration
            if event.error:
                data["error"] = event.error
            return Fact(at=event.at, kind=f"{_word(event.purpose)}.attempt_ended", step_id=event.step_id, data=data)
        case EffectBroke():
            data = {"attempt": event.attempt, "error": event.error}
            return Fact(at=event.at, kind=f"{_word(event.purpose)}.machinery_failed", step_id=event.step_id, data=data)
        case HandlerOverdue():
            data = {"attempt": event.attempt, "error": event.error}
            return Fact(at=event.at, kind=f"{_word(event.purpose)}.handler_overdue", step_id=event.step_id, data=data)
        case TimerFired():
            return Fact(at=event.at, kind=f"timer.{event.timer}", step_id=event.step_id)
        case LookAgain():
            return Fact(at=event.at, kind="step.look_again", step_id=event.step_id)
        case _:
            data = {"by": event.by, "note": event.note}
            answer = getattr(event, "answer", None)
            if answer:
                data["answer"] = str(answer)
            if getattr(event, "rework", False):
                data["rework"] = True
            verb = event.kind.removesuffix("_requested").replace("_", "-")
            return Fact(at=event.at, kind=f"act.{verb}", step_id=getattr(event, "step_id", ""), data=data)


def _repeated(event: Event) -> Iterator[Fact]:
    """A worker was lost over the attempt, and its call may have got through: it was made again under the same key."""
    if isinstance(event, ActionEnded) and event.tries > 1 and event.outcome not in NOT_BEGUN:
        data: dict[str, JsonValue] = {"attempt": event.attempt, "tries": event.tries}
        kind = f"{_word(event.purpose)}.possibly_repeated"
        yield Fact(at=event.at, kind=kind, step_id=event.step_id, data=data)


def _word(purpose: Purpose) -> str:
    return "step" if purpose is Purpose.FORWARD else "undo"
