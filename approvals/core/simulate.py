"""What a request goes through, moment by moment: the very flow, under a clock that is made up. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.core.clocks import next_due
from approvals.core.commands import Command, Tell
from approvals.core.events import ClockReached, Delegated, Delivered, Event, Resumed, Voted
from approvals.core.flow import decide
from approvals.core.guards import refusal
from approvals.core.plan import Plan, in_order
from approvals.core.reached import silence_is_yes
from approvals.core.state import State
from approvals.core.words import Telling

ASKING = frozenset({Telling.ASKED, Telling.REMINDER, Telling.ESCALATED})
"""What people hear of a decision of theirs by."""


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
    """An event that meant something, what it made of the request, and who is told."""

    event: Event
    before: State
    after: State
    commands: tuple[Command, ...]

    @property
    def at(self) -> datetime:
        return self.event.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A word that would not have counted."""

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
    """A request that is led through made-up time. Whatever is due by the time of an event happens before it.

    `state`: where it stands already; a new one without it. `unreachable`: whom no message reaches. Where silence is a
    yes, everybody else is taken to be reached as soon as they are asked.
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
        """Who has no seat may decide for somebody who is away; the seat moves over just before the vote."""
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
