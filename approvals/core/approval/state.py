"""The state of one request, with the seats and votes it is made of: a frozen value for each event folded in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from approvals.core.enums import Choice, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A place in the open stage. `person` decides; `owner` is the person whose place it is.

    They differ after a delegation. `own`: it belongs to the stage itself, and not to an escalation.
    """

    person: str
    owner: str
    own: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    person: str
    owner: str
    choice: Choice
    stage: int
    round: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Who was reached about a stage of this round, and when first. Kept where silence is a yes."""

    person: str
    stage: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state of a request. `version`: events applied.

    `round`: from 1; changed content begins a new one, with no votes.

    `opened_at`: of the open stage. `clock_from`: since when its clocks run; None until they do. `reminded`: how many of
    its reminders are done; `escalated`: which of its levels, by their place in the plan. `settles_at`: the end of the
    cooling-off. `nudged_at`: when reminders were last asked for by a person. `last_words`: why it ended or stopped, in
    a few words.

    `opened_in`: the version in which the clocks of the open stage began anew. `heard`: who was reached about the stages
    of this round. `silent`: those stages that passed by silence. `unheard`: the time was over and too few had been
    reached, so an administrator has to act, without a time limit. `away`: from when to when nothing could happen, for
    which the open stage was given its time back; `away_again`: the later ones, in order. `left`: seats of the open
    stage whose owners have left; they get them back when they come back. `rescue_at`: until when the return of people
    is waited for, where too few are left who may decide.
    """

    status: Status = Status.PENDING
    version: int = 0
    round: int = 1
    stage: int = 0
    seats: tuple[Seat, ...] = ()
    votes: tuple[Vote, ...] = ()
    opened_at: datetime | None = None
    clock_from: datetime | None = None
    reminded: int = 0
    escalated: tuple[int, ...] = ()
    settles_at: datetime | None = None
    nudged_at: datetime | None = None
    last_words: str = ""
    opened_in: int = 0
    heard: tuple[Heard, ...] = ()
    silent: tuple[int, ...] = ()
    unheard: bool = False
    away: tuple[datetime, datetime] | None = None
    away_again: tuple[tuple[datetime, datetime], ...] = ()
    left: tuple[Seat, ...] = ()
    rescue_at: datetime | None = None

    @property
    def absences(self) -> tuple[tuple[datetime, datetime], ...]:
        """All of `away` and `away_again`."""
        return () if self.away is None else (self.away, *self.away_again)

    def with_absence(self, since: datetime, until: datetime) -> State:
        """One that begins where the last one ended is the rest of it."""
        if self.away is None:
            return replace(self, away=(since, until))
        if since == self.absences[-1][1] and not self.away_again:
            return replace(self, away=(self.away[0], until))
        if since == self.absences[-1][1]:
            return replace(self, away_again=(*self.away_again[:-1], (self.away_again[-1][0], until)))
        return replace(self, away_again=(*self.away_again, (since, until)))

    @property
    def spoken(self) -> tuple[Vote, ...]:
        """The votes of this round, of all stages."""
        return tuple(vote for vote in self.votes if vote.round == self.round)

    def has_spoken(self, person: str) -> bool:
        return any(vote.person == person for vote in self.spoken)

    def seat_of(self, person: str) -> Seat | None:
        """This person's own seat, or else one that they hold for another."""
        held = [seat for seat in self.seats if seat.person == person]
        return min(held, key=lambda seat: seat.owner != person, default=None)

    @property
    def awaited(self) -> tuple[str, ...]:
        """Who may still decide now, in the order of the seats."""
        spoken = {vote.person for vote in self.spoken}
        return tuple(dict.fromkeys(seat.person for seat in self.seats if seat.person not in spoken))

    def escalated_since(self, before: State) -> tuple[tuple[int, int], ...]:
        """The levels that were asked since: each by its number in the order of asking, from 1, and its place."""
        done = len(before.escalated) if self.opened_at == before.opened_at else 0  # a stage that opens begins anew
        return tuple(enumerate(self.escalated, 1))[done:]

    def handed_on(self, person: str, to: str) -> tuple[Seat, ...]:
        """The seats once `person` has given theirs to `to`."""
        given = self.seat_of(person)
        return tuple(replace(seat, person=to) if seat == given else seat for seat in self.seats)

    def gone_with(self, people: frozenset[str]) -> tuple[Seat, ...]:
        """The seats that are empty once `people` have left, each as its owner's."""
        there = {seat.owner for seat in self.without(people)}
        owners = {seat.owner: replace(seat, person=seat.owner) for seat in self.seats if seat.owner not in there}
        return tuple(seat for owner, seat in owners.items() if not self.has_spoken(owner))

    def restored(self, people: frozenset[str]) -> tuple[Seat, ...]:
        """Of the seats that were left, those of `people`, without people who have another seat here by now."""
        sitting = {seat.person for seat in self.seats} | {seat.owner for seat in self.seats}
        back = (seat for seat in self.left if seat.owner in people - sitting)
        return tuple(seat for seat in back if not self.has_spoken(seat.owner))

    def without(self, people: frozenset[str]) -> tuple[Seat, ...]:
        """The seats once `people` have left; one that was handed on and not used goes back to its owner."""
        stay = [seat for seat in self.seats if seat.person not in people]
        here = people | {seat.person for seat in stay}
        back = (
            replace(seat, person=seat.owner)
            for seat in self.seats
            if seat.person in people
            and seat.owner not in here
            and not self.has_spoken(seat.person)
            and not self.has_spoken(seat.owner)
        )
        return (*stay, *back)


STATE: TypeAdapter[State] = TypeAdapter(State)
"""To JSON and back."""
