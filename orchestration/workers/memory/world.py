"""One run in memory. What happens next is chosen by a seed among all that could; time jumps to the next timer."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from orchestration.core.saga.codec import COMMAND, EVENT, STATE
from orchestration.core.saga.commands import CancelAction, Command, Finish, RunAction, StartTimer
from orchestration.core.saga.events import ActionEnded, Event, RunStarted, TimerFired
from orchestration.core.saga.flow import decide
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Chances from 0 to 1, asked for each attempt or answer.

    `dies_before`: the worker is lost before the effect; another takes the attempt up. `dies_after`: lost after the
    effect, its answer with it; the attempt is performed again under its key. `answers_late`: the answer of a worker
    that was given up arrives as well. `told_twice`: an answer arrives twice. `restarts`: everything goes through its
    JSON form, as in a process that begins anew.
    """

    dies_before: float = 0.0
    dies_after: float = 0.0
    answers_late: float = 0.0
    told_twice: float = 0.0
    restarts: float = 0.0


@dataclass(slots=True, kw_only=True)
class Flight:
    """An attempt that a worker has taken up. `tries`: how often, from 1."""

    command: RunAction
    tries: int = 1


Perform = Callable[[RunAction, int], ActionEnded | None]
"""Perform an attempt that is taken up for the n-th time; None when its outcome comes later by `feed`."""


@dataclass(kw_only=True)
class World:
    """One run. `decided` is called with each event that changed it, the state before and after, and the commands."""

    plan: Plan
    perform: Perform
    random: Random
    now: datetime
    faults: Faults = Faults()
    workflow_id: str = "w"
    decided: Callable[[Event, SagaState, SagaState, tuple[Command, ...]], None] = lambda *_: None
    state: SagaState = field(init=False)
    flights: list[Flight] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    timers: list[tuple[datetime, int, StartTimer]] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.state = SagaState(workflow_id=self.workflow_id)

    def start(self) -> None:
        """Begin the run."""
        self.feed(RunStarted(at=self.now))

    def feed(self, event: Event) -> None:
        """Let the flow decide an event. One without effect changes nothing."""
        if self._chance(self.faults.restarts):
            self._restart()
            event = EVENT.validate_json(EVENT.dump_json(event))
        event = dataclasses.replace(event, at=self.now)
        before = self.state
        self.state, commands = decide(self.plan, before, event)
        if self.state is before:
            return
        for command in commands:
            self._take(command)
        self.decided(event, before, self.state, commands)

    def step(self, *, jump: bool = True) -> bool:
        """One thing happens; False when nothing is left to happen. Without `jump` no timer fires before its time."""
        happenings: list[Callable[[], None]] = [self._fly for _ in self.flights] + [self._hear for _ in self.answers]
        if self.timers and (jump or self.timers[0][0] <= self.now):
            happenings.append(self._fire)
        if not happenings:
            return False
        self.random.choice(happenings)()
        return True

    def _fly(self) -> None:
        flight = self.flights.pop(self.random.randrange(len(self.flights)))
        if self._chance(self.faults.dies_before):
            self.flights.append(Flight(command=flight.command, tries=flight.tries + 1))
            return
        answer = self.perform(flight.command, flight.tries)
        if self._chance(self.faults.dies_after):
            self.flights.append(Flight(command=flight.command, tries=flight.tries + 1))
            if answer is not None and self._chance(self.faults.answers_late):
                self.answers.append(answer)
        elif answer is not None:
            self.answers.append(answer)

    def _hear(self) -> None:
        answer = self.answers.pop(self.random.randrange(len(self.answers)))
        self.feed(answer)
        if self._chance(self.faults.told_twice):
            self.feed(answer)

    def _fire(self) -> None:
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

    def _take(self, command: Command) -> None:
        match command:
            case RunAction():
                self.flights.append(Flight(command=command))
            case StartTimer():
                heapq.heappush(self.timers, (command.due, next(self._count), command))
            case CancelAction():
                pass  # an attempt asks for itself whether it is still wanted
            case Finish():
                self.timers.clear()

    def _restart(self) -> None:
        self.state = STATE.validate_json(STATE.dump_json(self.state))
        for flight in self.flights:
            again = COMMAND.validate_json(COMMAND.dump_json(flight.command))
            if isinstance(again, RunAction):
                flight.command = again

    def _chance(self, chance: float) -> bool:
        return chance >= 1 or (chance > 0 and self.random.random() < chance)
