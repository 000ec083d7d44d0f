"""A past request under another policy: as it ended, and as it would have ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.core.approval.events import Delegated, Event, Opened, Voted
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from approvals.core.enums import Status
from approvals.core.simulation.simulate import Refused, Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """`happened`: what was done to it, in the order of time, without its opening: votes, changes, a withdrawal …"""

    opened_at: datetime
    happened: tuple[Event, ...]
    status: Status
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """`awaited`: who would still have been waited for when it really ended; then the rest is what clocks do alone.

    `uncounted`: what people said and what would not have counted.
    """

    status: Status
    words: str
    ended_at: datetime | None
    awaited: tuple[str, ...]
    uncounted: tuple[Refused, ...]
    differs: bool


def votes_of(state: State) -> list[Event]:
    """The votes as events; a vote for another person comes after the delegation of that seat."""
    found: list[Event] = []
    for vote in state.votes:
        if vote.owner != vote.person:
            found.append(Delegated(at=vote.at, person=vote.owner, to=vote.person, by="delegation"))
        found.append(Voted(at=vote.at, person=vote.person, choice=vote.choice))
    return found


def replay(past: Past, plan: Plan, *, by_rule: str = "") -> Replayed:
    walk = Walk(plan)
    walk.hear(Opened(at=past.opened_at, by_rule=by_rule))
    for event in past.happened:
        walk.hear(event)
    walk.run_clocks(past.ended_at)
    was_over = walk.state.status.is_end or walk.state.status is Status.COOLING_OFF
    awaited = walk.state.awaited if walk.state.status.can_be_decided else ()
    walk.run_clocks()
    over = walk.state.status.is_end
    return Replayed(
        status=walk.state.status,
        words=walk.state.last_words,
        ended_at=walk.moments[-1].at if over else None,
        awaited=awaited,
        uncounted=tuple(walk.refused),
        differs=walk.state.status is not past.status or not was_over,
    )


def in_order(events: Sequence[Event]) -> tuple[Event, ...]:
    """By time; what happened at the same moment stays as it is given."""
    return tuple(sorted(events, key=lambda event: event.at))
