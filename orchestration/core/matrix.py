"""The failure matrix (rule 14): what becomes of a run when each step fails, times out, or is followed by an abort.

It drives the very flow that runs, with every other action succeeding at once. Two things it takes from the rules of the
effects: a probe does not answer either when a step times out, and what then lacks its own output cannot be undone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from orchestration.core.commands import Command, RunAction, StartTimer
from orchestration.core.events import AbortRequested, ActionEnded, Event, RunStarted, TimerFired
from orchestration.core.plan import Plan
from orchestration.core.saga import decide
from orchestration.core.state import SagaState
from orchestration.core.undo import in_waves
from orchestration.core.words import Cause, Outcome, Purpose, RunStatus, UndoStatus

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
Mishap = Literal["fails", "times out", "abort after"]
MISHAPS: tuple[Mishap, ...] = ("fails", "times out", "abort after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`undone` in waves; `stands`: executed, or possibly, and not undone.

    An abort after a step meets the next ones in flight, as it would in life; `refused`: it came too late.
    """

    step_id: str
    mishap: Mishap
    status: RunStatus
    undone: tuple[tuple[str, ...], ...]
    stands: tuple[str, ...]
    refused: bool = False


def failure_matrix(plan: Plan) -> tuple[Row, ...]:
    """Three rows for each step that acts or may be refused by people, in the definition's order."""
    acting = [step_id for step_id in plan.order if plan.steps[step_id].acts or plan.steps[step_id].gate]
    return tuple(_row(plan, step_id, mishap) for step_id in acting for mishap in MISHAPS)


def _row(plan: Plan, step_id: str, mishap: Mishap) -> Row:
    state, refused = _drive(plan, step_id, mishap)
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


def _drive(plan: Plan, target: str, mishap: Mishap) -> tuple[SagaState, bool]:
    state = SagaState(workflow_id="matrix")
    todo: deque[Event] = deque([RunStarted(at=EPOCH)])
    refused = False
    while todo and not state.status.is_end:
        event = todo.popleft()
        state, commands = decide(plan, state, event)
        todo.extend(answer for command in commands if (answer := _answer(plan, command, target, mishap)))
        over = isinstance(event, ActionEnded) and event.step_id == target and event.purpose is Purpose.FORWARD
        if over and mishap == "abort after":
            aborted, commands = decide(plan, state, AbortRequested(at=EPOCH, cause=Cause.OPERATOR))
            refused = aborted is state
            state = aborted
            todo.extend(answer for command in commands if (answer := _answer(plan, command, target, mishap)))
    return state, refused


def _answer(plan: Plan, command: Command, target: str, mishap: Mishap) -> Event | None:
    if isinstance(command, StartTimer) and command.timer != "deadline":
        return TimerFired(
            at=EPOCH,
            timer=command.timer,
            step_id=command.step_id,
            purpose=command.purpose,
            iteration=command.iteration,
            attempt=command.attempt,
        )
    if not isinstance(command, RunAction):
        return None
    outcome = _outcome(plan, command, mishap) if command.step_id == target else Outcome.SUCCEEDED
    return ActionEnded(
        at=EPOCH,
        step_id=command.step_id,
        purpose=command.purpose,
        iteration=command.iteration,
        attempt=command.attempt,
        outcome=outcome,
        maybe=outcome is Outcome.UNKNOWN,
    )


def _outcome(plan: Plan, command: RunAction, mishap: Mishap) -> Outcome:
    """Of an attempt of the step that meets with the mishap."""
    if command.purpose is Purpose.FORWARD:
        return {"fails": Outcome.FAILED, "times out": Outcome.UNKNOWN}.get(mishap, Outcome.SUCCEEDED)
    lacks_output = mishap == "times out" and plan.steps[command.step_id].undo_needs_output
    return Outcome.FAILED if lacks_output else Outcome.SUCCEEDED
