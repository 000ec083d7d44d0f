"""Runs a request through simulated time, by the flow itself. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.core.approval.events import ClockReached, Delegated, Delivered, Event, Resumed, Voted
from approvals.core.approval.flow import decide
from approvals.core.approval.guards import refusal
from approvals.core.approval.outcome import Command, Tell
from approvals.core.approval.plan import Plan, in_order
from approvals.core.approval.state import State
from approvals.core.approval.timers import next_due, silence_is_yes
from approvals.core.enums import Telling

ASKING = frozenset({Telling.ASKED, Telling.REMINDER, Telling.ESCALATED})
"""The kinds of telling by which people hear of a decision that they have to make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """From `starts` until before `ends`, `to` decides for `owner`."""

    owner: str
    to: str
    starts: datetime
    ends: datetime

    def counts(self, at: datetime) -> bool:
        return self.starts <= at < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An event that had an effect, the states before and after, and who is told."""

    event: Event
    before: State
    after: State
    commands: tuple[Command, ...]

    @property
    def at(self) -> datetime:
        return self.event.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A vote that would not have counted."""

    vote: Voted
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    moments: tuple[Moment, ...]
    refused: tuple[Refused, ...]
    state: State


def simulate(
    plan: Plan, events: Iterable[Event], *, stand_ins: Sequence[StandIn] = (), unreachable: frozenset[str] = frozenset()
) -> Course:
    """`events`: what people do, in the order of time, the opening first. After the last one the clocks run on alone."""
    walk = Walk(plan, stand_ins=stand_ins, unreachable=unreachable)
    for event in events:
        walk.hear(event)
    walk.run_clocks()
    return walk.course()


class Walk:
    """A request in simulated time. Everything that is due by the time of an event happens before it.

    `state`: to go on from; a new one without it. `unreachable`: whom no message reaches. Where silence is an approval,
    all others are taken to be reached as soon as they are asked.
    """

    def __init__(
        self, plan: Plan, *, state: State | None = None, stand_ins: Sequence[StandIn] = (),
        unreachable: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.plan, self.stand_ins, self.unreachable = plan, stand_ins, unreachable
        self.state = state or State()
        self.moments: list[Moment] = []
        self.refused: list[Refused] = []

    def hear(self, event: Event) -> str:
        """Why it is not legal by then, and changes nothing; '' when it is."""
        self.run_clocks(event.since if isinstance(event, Resumed) else event.at)  # while we were away nothing rang
        if isinstance(event, Voted):
            self._sit_in(event)
        why = refusal(self.plan, self.state, event)
        if why and isinstance(event, Voted):
            self.refused.append(Refused(vote=event, why=why))
        self._fold(event)
        return why

    def run_clocks(self, until: datetime | None = None) -> None:
        """Up to a time, or until only people can make it go on."""
        while self.tick(until):
            pass

    def tick(self, until: datetime | None = None) -> datetime | None:
        """The next time that a clock does something, done; None where there is none, or none by then."""
        due = next_due(self.plan, self.state)
        if due is None or (until is not None and due.at > until):
            return None
        at = max([due.at, *(moment.at for moment in self.moments[-1:])])  # what is overdue happens now, not before
        self._fold(ClockReached(at=at))
        return at

    def course(self) -> Course:
        return Course(moments=tuple(self.moments), refused=tuple(self.refused), state=self.state)

    def _sit_in(self, vote: Voted) -> None:
        """Give the seat of a person who is away to their delegate, just before the delegate's vote."""
        if self.state.seat_of(vote.person) is not None:
            return
        for rule in self.stand_ins:
            event = Delegated(at=vote.at, person=rule.owner, to=rule.to, by="delegation")
            if rule.to == vote.person and rule.counts(vote.at) and not refusal(self.plan, self.state, event):
                self._fold(event)
                return

    def _fold(self, event: Event) -> None:
        before = self.state
        self.state, commands = decide(self.plan, before, event)
        if self.state is not before:
            self.moments.append(Moment(event=event, before=before, after=self.state, commands=commands))
            self._deliver(event.at, commands)

    def _deliver(self, at: datetime, commands: Iterable[Command]) -> None:
        told = [command.people for command in commands if isinstance(command, Tell) and command.why in ASKING]
        for person in in_order({person for people in told for person in people} - self.unreachable):
            if silence_is_yes(self.plan, self.state):
                self._fold(Delivered(at=at, person=person, of=self.state.version))
