"""Random sagas and a world that answers them: the flow alone, virtual time, no engine."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal

from orchestration.core.codec import COMMAND, EVENT, STATE
from orchestration.core.commands import CancelAction, Command, Finish, RunAction, StartTimer
from orchestration.core.events import ActionEnded, Event, RunStarted, TimerFired
from orchestration.core.plan import Plan, PlanStep
from orchestration.core.saga import decide
from orchestration.core.state import SagaState
from orchestration.core.words import Outcome, Purpose

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def make_plan(
    steps: Mapping[str, tuple[str, ...]],
    *,
    max_parallel: int = 100,
    timeout: float | None = None,
    order: Literal["parallel", "sequential"] = "parallel",
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
    )


@dataclass
class World:
    """Delivers events in a random order and keeps what was seen, for the invariants to look at.

    `answer(command)` gives the outcome of an attempt. `restore`: every state goes through its JSON form first.
    """

    plan: Plan
    answer: Callable[[RunAction], Outcome]
    random: Random
    restore: bool = False
    duplicates: bool = False
    now: datetime = T0
    state: SagaState = field(default_factory=lambda: SagaState(workflow_id="w"))
    in_flight: list[RunAction] = field(default_factory=list)
    timers: list[tuple[datetime, int, StartTimer]] = field(default_factory=list)
    log: list[tuple[Event, tuple[Command, ...], SagaState]] = field(default_factory=list)
    launched: list[RunAction] = field(default_factory=list)
    ended: list[tuple[RunAction, Outcome]] = field(default_factory=list)
    finished: list[Finish] = field(default_factory=list)
    most_at_once: int = 0

    def feed(self, event: Event) -> None:
        if self.restore:
            self.state = STATE.validate_json(STATE.dump_json(self.state))
            event = EVENT.validate_json(EVENT.dump_json(event))
        self.state, commands = decide(self.plan, self.state, event)
        self.log.append((event, commands, self.state))
        for command in commands:
            self._take(COMMAND.validate_json(COMMAND.dump_json(command)) if self.restore else command)
        self.most_at_once = max(self.most_at_once, len(self.in_flight))

    def _take(self, command: Command) -> None:
        match command:
            case RunAction():
                self.in_flight.append(command)
                self.launched.append(command)
            case StartTimer():
                heapq.heappush(self.timers, (command.due, len(self.log) * 1000 + len(self.timers), command))
            case Finish():
                self.finished.append(command)
            case CancelAction():
                pass

    def start(self) -> None:
        self.feed(RunStarted(at=self.now))

    def end_one(self) -> None:
        command = self.in_flight.pop(self.random.randrange(len(self.in_flight)))
        outcome = self.answer(command)
        self.ended.append((command, outcome))
        event = ActionEnded(
            at=self.now,
            step_id=command.step_id,
            purpose=command.purpose,
            iteration=command.iteration,
            attempt=command.attempt,
            outcome=outcome,
            maybe=outcome is Outcome.UNKNOWN,
            resume_at=self._resume_at(command, outcome),
        )
        self.feed(event)
        if self.duplicates and self.random.random() < 0.3:
            before = self.state
            self.feed(event)
            assert self.state is before or (self.restore and self.state == before), "a duplicate changed the state"

    def _resume_at(self, command: RunAction, outcome: Outcome) -> datetime | None:
        """A wait that finds out how long it is; now and then the time is past already."""
        finds_out = self.plan.steps[command.step_id].finds_out and command.purpose is Purpose.FORWARD
        if not finds_out or outcome is not Outcome.SUCCEEDED:
            return None
        return self.now + timedelta(seconds=self.random.choice([-1, 0, 2, 4]))

    def fire_one(self) -> None:
        due, _, timer = heapq.heappop(self.timers)
        self.now = max(self.now, due)
        self.feed(
            TimerFired(
                at=self.now,
                timer=timer.timer,
                step_id=timer.step_id,
                purpose=timer.purpose,
                iteration=timer.iteration,
                attempt=timer.attempt,
            )
        )

    def step(self) -> bool:
        """One random thing happens; False when nothing is left to happen."""
        if self.in_flight and (not self.timers or self.random.random() < 0.7):
            self.end_one()
        elif self.timers:
            self.fire_one()
        else:
            return False
        return True

    def run(self, limit: int = 20_000) -> SagaState:
        self.start()
        while not self.state.status.is_end and limit:
            limit -= 1
            if not self.step():
                break
        return self.state

    def outcomes(self, purpose: Purpose, step_id: str) -> list[Outcome]:
        return [o for c, o in self.ended if c.purpose is purpose and c.step_id == step_id]
