"""Random sagas and a world that answers them: the flow alone, virtual time, no engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal

from orchestration.core.enums import Outcome, Purpose
from orchestration.core.saga import versions
from orchestration.core.saga.commands import Command, Finish, RunAction
from orchestration.core.saga.events import ActionEnded, Event, LookAgain
from orchestration.core.saga.plan import Plan, PlanStep
from orchestration.core.saga.state import SagaState
from orchestration.workers.memory import world

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def make_plan(
    steps: Mapping[str, tuple[str, ...]],
    *,
    max_parallel: int = 100,
    timeout: float | None = None,
    order: Literal["parallel", "sequential"] = "parallel",
    second_chances: tuple[float, ...] = (),
    **details: dict[str, object],
) -> Plan:
    """A plan from {step: dependencies}; `details[step]` overrides fields of its PlanStep."""
    levels: dict[str, int] = {}
    dependents: dict[str, list[str]] = {s: [] for s in steps}
    for step_id, dependencies in steps.items():
        levels[step_id] = max((levels[d] + 1 for d in dependencies), default=0)
        for dependency in dependencies:
            dependents[dependency].append(step_id)
    built = {
        step_id: PlanStep(
            step_id=step_id,
            index=index,
            dependencies=dependencies,
            dependents=tuple(dependents[step_id]),
            level=levels[step_id],
            **details.get(step_id, {}),  # type: ignore[arg-type]
        )
        for index, (step_id, dependencies) in enumerate(steps.items())
    }
    return Plan(
        steps=built,
        roots=tuple(s for s, d in steps.items() if not d),
        max_parallel=max_parallel,
        timeout_seconds=timeout,
        compensation_order=order,
        order=tuple(steps),
        flow=versions.LATEST,
        second_chances=second_chances,
    )


class World(world.World):
    """The memory engine's world with outcomes instead of actions, and a memory of all that was seen.

    `answer(command)` gives the outcome of an attempt. A gate is shut at first; its decision comes before or after the
    attempt has said so.
    """

    def __init__(
        self,
        plan: Plan,
        answer: Callable[[RunAction], Outcome],
        random: Random,
        *,
        restore: bool = False,
        duplicates: bool = False,
        faults: world.Faults | None = None,
        breaker_open: float = 0.0,
    ) -> None:
        """`breaker_open`: the chance that a circuit breaker holds an attempt back, as often as it comes."""
        self.answer = answer
        self.breaker_open = breaker_open
        self.log: list[tuple[Event, tuple[Command, ...], SagaState]] = []
        self.launched: list[RunAction] = []
        self.performed: list[tuple[RunAction, int]] = []
        self.finished: list[Finish] = []
        self.most_at_once = 0
        self.parked: dict[tuple[str, int], int] = {}
        given = faults or world.Faults(restarts=float(restore), told_twice=0.3 if duplicates else 0.0)
        super().__init__(
            plan=plan, perform=self._outcome_of, random=random, now=T0, faults=given, decided=self._remember
        )

    @property
    def in_flight(self) -> list[RunAction]:
        return [flight.command for flight in self.flights]

    def lose(self) -> RunAction:
        """The machinery loses an attempt for good."""
        return self.flights.pop().command

    def run(self, limit: int = 20_000) -> SagaState:
        self.start()
        while not self.state.status.is_end and limit and self.step():
            limit -= 1
        return self.state

    def _outcome_of(self, command: RunAction, tries: int) -> ActionEnded:
        held_back = self.breaker_open > 0 and self.random.random() < self.breaker_open
        shut = not held_back and self._is_shut(command)
        outcome = Outcome.PARKED if held_back or shut else self._answer(command, tries)
        return ActionEnded(
            at=self.now,
            step_id=command.step_id,
            purpose=command.purpose,
            iteration=command.iteration,
            attempt=command.attempt,
            outcome=outcome,
            maybe=outcome is Outcome.UNKNOWN,
            retry_after=self.random.uniform(0, 20) if held_back else None,
            resume_at=self._resume_at(command, outcome),
        )

    def _answer(self, command: RunAction, tries: int) -> Outcome:
        self.performed.append((command, tries))
        return self.answer(command)

    def _is_shut(self, command: RunAction) -> bool:
        """The first attempt finds it shut, however often it is taken up, and is told to look again."""
        if command.purpose is Purpose.UNDO or not self.plan.steps[command.step_id].gated:
            return False
        first = self.parked.setdefault((command.step_id, command.iteration), command.attempt)
        if command.attempt == first:
            self.answers.append(LookAgain(at=self.now, step_id=command.step_id, iteration=command.iteration))
        return command.attempt == first

    def _resume_at(self, command: RunAction, outcome: Outcome) -> datetime | None:
        """A wait that finds out how long it is; now and then the time is past already."""
        finds_out = self.plan.steps[command.step_id].finds_out and command.purpose is Purpose.FORWARD
        if not finds_out or outcome is not Outcome.SUCCEEDED:
            return None
        return self.now + timedelta(seconds=self.random.choice([-1, 0, 2, 4]))

    def _remember(self, event: Event, before: SagaState, after: SagaState, commands: tuple[Command, ...]) -> None:
        self.log.append((event, commands, after))
        self.launched += [command for command in commands if isinstance(command, RunAction)]
        self.finished += [command for command in commands if isinstance(command, Finish)]
        self.most_at_once = max(self.most_at_once, after.flying)
