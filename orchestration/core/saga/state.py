"""The state of a saga run: one frozen value per event, and exactly what the ledger's rows hold.

`SagaState.steps` holds only the steps that something happened to; a step without an entry is pending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from orchestration.core.enums import Answer, Cause, RunStatus, StepStatus, UndoStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an iteration of a step did, or possibly did.

    `undo`: NOT_NEEDED until its undo begins. `resolution`: how a person closed that.
    """

    iteration: int
    undo: UndoStatus = UndoStatus.NOT_NEEDED
    resolution: Answer | None = None

    @property
    def stands(self) -> bool:
        return self.undo is not UndoStatus.COMPENSATED


def _is_none(chances: int) -> bool:
    return chances == 0


Chances = Annotated[int, Field(exclude_if=_is_none)]
"""Left out of the JSON where there were none, so that what was stored before stays the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """The state of one step.

    `attempt` and `undo_attempt` number the attempts of this iteration, from 1; `budget_from` and
    `undo_budget_from` are the numbers at which the current retry budget began (a person's retry renews it).
    `maybe`: an attempt may have been acted on, though none is known to have succeeded.
    `waiting`: its action has said how long to wait, and only the timer is left.
    `parked`: its attempt found a closed gate. `knocked`: told to look again while an attempt was in flight.
    `blocked`: ended in a way that stopped the run; a person must retry or skip it.
    `overdue`: the handler of the attempt in flight was told to stop, and has not ended within its grace time.
    `resolution`: how a person closed a failed compensation. `alternative`: this undo is the person's own.
    `others`: what the other iterations left, oldest first. They are undone one after the other, newest first, each
    under its own key; `undo_iteration` is the one that the undo fields are about, 0 for the step's latest.
    `chances`: second chances that it was given (second_chances.py); a person's retry gives them anew.
    """

    status: StepStatus = StepStatus.PENDING
    iteration: int = 1
    attempt: int = 0
    budget_from: int = 0
    maybe: bool = False
    waiting: bool = False
    parked: bool = False
    knocked: bool = False
    blocked: bool = False
    undo: UndoStatus = UndoStatus.NOT_NEEDED
    undo_attempt: int = 0
    undo_budget_from: int = 0
    undo_backing_off: bool = False
    alternative: bool = False
    resolution: Answer | None = None
    others: tuple[Effect, ...] = ()
    undo_iteration: int = 0
    overdue: bool = False
    chances: Chances = 0

    @property
    def executed(self) -> bool:
        """Succeeded, or possibly done: what an abort has to undo."""
        return self.status is StepStatus.SUCCEEDED or self.maybe

    @property
    def in_hand(self) -> int:
        """The iteration that the undo fields are about."""
        return self.undo_iteration or self.iteration

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What each iteration of the step did, and whether it was undone, oldest first."""
        if not self.executed and not self.undo_iteration:
            return self.others
        mine = Effect(iteration=self.in_hand, undo=self.undo, resolution=self.resolution)
        return tuple(sorted((*self.others, mine), key=lambda effect: effect.iteration))

    @property
    def next_to_undo(self) -> Effect | None:
        """The latest of the other iterations whose undo has not begun."""
        return next((effect for effect in reversed(self.others) if effect.undo is UndoStatus.NOT_NEEDED), None)

    @property
    def settled(self) -> bool:
        """Its forward part is over, and no person has to act on it."""
        return not self.blocked and self.status in SETTLED


SETTLED = frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.SKIPPED})
FRESH = StepState()


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaState:
    """The state of a run. `version` counts the events applied; `round` the reruns, from 1: new work has this iteration.

    Counters over the steps, kept so that an event costs the same in a long saga: `flying` attempts in flight,
    `external` steps whose outcome arrives from elsewhere, `waiting` wait timers, `backing_off` steps between
    attempts, `open` steps whose forward part is not settled.
    `held`: no new launches, because of `hold_reason`. `aborting`: the way forward is given up, attempts in flight are
    waited for. `undoing`: they have ended, and the set of effects to undo is fixed.
    """

    workflow_id: str
    status: RunStatus = RunStatus.PENDING
    cause: Cause | None = None
    version: int = 0
    round: int = 1
    flying: int = 0
    external: int = 0
    waiting: int = 0
    backing_off: int = 0
    open: int = 0
    pivoted: bool = False
    held: bool = False
    hold_reason: str = ""
    aborting: bool = False
    undoing: bool = False
    steps: Mapping[str, StepState] = field(default_factory=dict)

    def step(self, step_id: str) -> StepState:
        return self.steps.get(step_id, FRESH)
