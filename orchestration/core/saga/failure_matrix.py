"""The failure matrix: the outcome of a run when each step fails, times out, or is followed by an abort.

It drives the flow itself, with every other action succeeding at once. It assumes that when a step times out its probe
does not answer either, and that an undo which then lacks the step's own output cannot be performed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from orchestration.core.enums import Cause, Outcome, Purpose, RunStatus, UndoStatus
from orchestration.core.saga.commands import Command, RunAction, StartTimer
from orchestration.core.saga.compensation import in_waves
from orchestration.core.saga.events import AbortRequested, ActionEnded, Event, LookAgain, RunStarted, TimerFired
from orchestration.core.saga.flow import decide
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
Mishap = Literal["fails", "times out", "abort after"]
MISHAPS: tuple[Mishap, ...] = ("fails", "times out", "abort after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`undone` in waves; `stands`: executed, or possibly, and not undone.

    An abort after a step meets the next ones in flight, or waiting at their gates, as it would in life; `refused`: it
    came too late.
    """

    step_id: str
    mishap: Mishap
    status: RunStatus
    undone: tuple[tuple[str, ...], ...]
    stands: tuple[str, ...]
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """`left_out`: the steps for whose rows there was no work left."""

    rows: tuple[Row, ...]
    left_out: tuple[str, ...]


def failure_matrix(plan: Plan) -> tuple[Row, ...]:
    """Three rows for each step that acts or may be refused by people, in the definition's order."""
    return bounded_matrix(plan, None).rows


def bounded_matrix(plan: Plan, budget: int | None) -> Matrix:
    """The rows, step by step, for as long as the budget lasts. None: all of them.

    `budget`: work, counted in decisions, each at the price of the steps it may look at: about a microsecond a unit.
    """
    once, work = _without_retries(plan), _Work(None if budget is None else budget // (len(plan.order) + PRICE))
    rows: list[Row] = []
    acting = _acting(plan)
    for number, step_id in enumerate(acting):
        try:
            rows += [_row(once, step_id, mishap, work) for mishap in MISHAPS]
        except _Spent:
            return Matrix(rows=tuple(rows), left_out=tuple(acting[number:]))
    return Matrix(rows=tuple(rows), left_out=())


PRICE = 30


class _Spent(Exception):
    pass


class _Work:
    """Counts decisions; raises _Spent before the one that is too much."""

    def __init__(self, decisions: int | None) -> None:
        self.left = decisions

    def one(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise _Spent


def _acting(plan: Plan) -> list[str]:
    return [step_id for step_id in plan.order if plan.steps[step_id].acts or plan.steps[step_id].gate]


def _without_retries(plan: Plan) -> Plan:
    """A row is about what comes when all tries are over: the tries themselves change nothing in it."""
    steps = {step_id: replace(step, retry_count=0, compensation_retry_count=0) for step_id, step in plan.steps.items()}
    return replace(plan, steps=steps, second_chances=())


def _row(plan: Plan, step_id: str, mishap: Mishap, work: _Work) -> Row:
    state, refused = _drive(plan, step_id, mishap, work)
    undone = [s for s, step in state.steps.items() if step.undo is UndoStatus.COMPENSATED]
    stands = tuple(s for s in plan.order if state.step(s).executed and s not in undone and _acts(plan, s))
    return Row(
        step_id=step_id,
        mishap=mishap,
        status=state.status,
        undone=in_waves(plan, undone),
        stands=stands,
        refused=refused,
    )


def _acts(plan: Plan, step_id: str) -> bool:
    return plan.steps[step_id].acts


def _drive(plan: Plan, target: str, mishap: Mishap, work: _Work) -> tuple[SagaState, bool]:
    state, refused = SagaState(workflow_id="matrix"), False
    world = _World(plan, target, mishap)
    todo: deque[Event] = deque([RunStarted(at=EPOCH)])
    while todo and not state.status.is_end:
        event = todo.popleft()
        work.one()
        state, commands = decide(plan, state, event)
        todo.extend(world.answers(commands))
        if mishap == "abort after" and world.is_over(event):
            work.one()
            aborted, commands = decide(plan, state, AbortRequested(at=EPOCH, cause=Cause.OPERATOR))
            refused = aborted is state
            state = aborted
            todo.extend(world.answers(commands))
        todo.extend(world.people_answer() if not todo else ())
    return state, refused


class _World:
    """Answers the run: services at once, and people at gates only when nothing else goes on."""

    def __init__(self, plan: Plan, target: str, mishap: Mishap) -> None:
        self.plan, self.target, self.mishap = plan, target, mishap
        self.asked: deque[tuple[str, int]] = deque()
        self.answered: set[tuple[str, int]] = set()

    def is_over(self, event: Event) -> bool:
        """Whether the step that the row is about has ended with it."""
        if not isinstance(event, ActionEnded) or event.purpose is not Purpose.FORWARD:
            return False
        return event.step_id == self.target and event.outcome is not Outcome.PARKED

    def answers(self, commands: Iterable[Command]) -> Iterator[Event]:
        for command in commands:
            if isinstance(command, StartTimer) and command.timer != "deadline":
                yield TimerFired(
                    at=EPOCH, timer=command.timer, step_id=command.step_id, purpose=command.purpose,
                    iteration=command.iteration, attempt=command.attempt,
                )  # fmt: skip
            elif isinstance(command, RunAction):
                outcome = self._outcome(command)
                yield ActionEnded(
                    at=EPOCH, step_id=command.step_id, purpose=command.purpose, iteration=command.iteration,
                    attempt=command.attempt, outcome=outcome, maybe=outcome is Outcome.UNKNOWN,
                )  # fmt: skip

    def people_answer(self) -> Iterator[Event]:
        """The first gate that waits is opened."""
        if self.asked:
            step_id, iteration = self.asked.popleft()
            self.answered.add((step_id, iteration))
            yield LookAgain(at=EPOCH, step_id=step_id, iteration=iteration)

    def _outcome(self, command: RunAction) -> Outcome:
        gate = (command.step_id, command.iteration)
        if command.purpose is Purpose.FORWARD and self.plan.steps[command.step_id].gated and gate not in self.answered:
            self.asked.append(gate)
            return Outcome.PARKED
        return _outcome(self.plan, command, self.mishap) if command.step_id == self.target else Outcome.SUCCEEDED


def _outcome(plan: Plan, command: RunAction, mishap: Mishap) -> Outcome:
    """Of an attempt of the step that meets with the mishap."""
    if command.purpose is Purpose.FORWARD:
        return {"fails": Outcome.FAILED, "times out": Outcome.UNKNOWN}.get(mishap, Outcome.SUCCEEDED)
    lacks_output = mishap == "times out" and plan.steps[command.step_id].undo_needs_output
    return Outcome.FAILED if lacks_output else Outcome.SUCCEEDED
