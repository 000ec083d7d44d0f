"""The time limits of the open stage: reminders, escalations, its end, since when silence counts; and cooling-off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from approvals.core.approval.plan import Plan
from approvals.core.approval.quorum import abstained, is_matched, said_here, slots_of
from approvals.core.approval.state import State
from approvals.core.enums import AtTheEnd, Choice, Status
from approvals.core.policy.hours import Span, due, worked

LONGEST_UNHEARD = timedelta(minutes=15)
"""A clock that waits for a first delivery waits no longer than this: nothing may stand open for ever."""

NUDGE_PAUSE = timedelta(minutes=10)
"""Between two reminders by hand of one request: people who are reminded all the time stop reading."""

Hand = Literal["begin", "rescue", "remind", "escalate", "expire", "settle"]
_ORDER: dict[Hand, int] = {"begin": 0, "rescue": 1, "remind": 2, "escalate": 3, "settle": 4, "expire": 5}

SAYS_YES = "If nobody decides in time, it counts as a yes: its policy says so."


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The next thing that a clock will do. On the same moment a reminder comes before the end."""

    at: datetime
    hand: Hand


def next_due(plan: Plan, state: State) -> Due | None:
    """None where only people can make it go on."""
    return min(dues(plan, state), key=lambda one: (one.at, _ORDER[one.hand]), default=None)


def expires_at(plan: Plan, state: State) -> datetime | None:
    """The deadline of the open stage."""
    return next((one.at for one in dues(plan, state) if one.hand == "expire"), None)


def asked_until(plan: Plan, state: State) -> datetime | None:
    """By when people who are asked now have to be reached: before the stage ends, or others are asked as well."""
    return min((one.at for one in dues(plan, state) if one.hand in ("escalate", "expire")), default=None)


def can_be_reminded_at(state: State) -> datetime | None:
    """Reminders may not be asked for before this; None where none were asked for yet."""
    return state.nudged_at + NUDGE_PAUSE if state.nudged_at else None


def dues(plan: Plan, state: State) -> list[Due]:
    """All that the clocks will do next, each hand at most once; in no order."""
    if state.status is Status.COOLING_OFF and state.settles_at:
        return [Due(at=state.settles_at, hand="settle")]
    stage, start = plan.stages[state.stage], state.clock_from
    held = state.status is Status.RESCUE and (stage.at_the_end is AtTheEnd.HOLD or state.unheard)
    if held or state.status not in (Status.PENDING, Status.CHANGES_REQUESTED, Status.RESCUE):
        return []
    found: list[Due] = []
    if state.status is Status.PENDING and state.rescue_at:
        found.append(Due(at=state.rescue_at, hand="rescue"))
    if start is None:
        waits = Span(seconds=LONGEST_UNHEARD.total_seconds())
        begin = [Due(at=_over(plan, state, state.opened_at, waits), hand="begin")] if state.opened_at else []
        return [*found, *begin]
    if state.status is Status.PENDING:
        reminders = sorted(_over(plan, state, start, span) for span in stage.reminders)
        found += [Due(at=at, hand="remind") for at in reminders[state.reminded : state.reminded + 1]]
        found += [Due(at=at, hand="escalate") for at, _ in _levels(plan, state, start)[:1]]
    since = _silence_from(plan, state, start)
    ends = [_over(plan, state, since, span) for span in (stage.expires, stage.latest) if span is not None]
    if ends:
        found.append(Due(at=min(ends), hand="expire"))
    return found


def next_level(plan: Plan, state: State) -> int | None:
    """The place in the plan of the level that is due next; None when none is left."""
    start = state.clock_from or state.opened_at
    left = _levels(plan, state, start) if start else []
    return left[0][1] if left else None


def _levels(plan: Plan, state: State, start: datetime) -> list[tuple[datetime, int]]:
    """When the levels that are left are due: working time and wall time change places with the day it begins."""
    levels = enumerate(plan.stages[state.stage].levels)
    times = ((_over(plan, state, start, one.after), place) for place, one in levels if place not in state.escalated)
    return sorted(times)


def _silence_from(plan: Plan, state: State, start: datetime) -> datetime:
    """From when the end of the stage is counted.

    Silence counts as approval only from when enough people were reached.
    """
    heard = heard_since(plan, state) if silence_is_yes(plan, state) else None
    return max(start, heard) if heard else start


def _over(plan: Plan, state: State, start: datetime, span: Span) -> datetime:
    """When `span` is over. What was left of it whenever the site went away is counted anew from its return."""
    at = due(start, span, plan.hours)
    for since, until in state.absences:
        if at <= since or start >= until:
            continue
        span = replace(span, seconds=span.seconds - worked(start, since, span, plan.hours))
        start = until
        at = max(at, due(start, span, plan.hours))
    return at


def silence_is_yes(plan: Plan, state: State) -> bool:
    """Whether it matters who has heard of the open stage."""
    return plan.stages[state.stage].at_the_end is AtTheEnd.APPROVE


def heard_since(plan: Plan, state: State) -> datetime | None:
    """Since when as many as the open stage needs could have spoken: they were reached, or have approved.

    None while they are too few: then silence does not count as approval.
    """
    times = reached(state)
    slots = slots_of(plan.stages[state.stage], state.seats, abstained(state))
    moments = sorted(set(times.values()))
    if not moments or not is_matched(slots, times):
        return None
    first, last = 0, len(moments) - 1
    while first < last:  # the more have heard, the more slots they fill
        middle = (first + last) // 2
        if is_matched(slots, [person for person, at in times.items() if at <= moments[middle]]):
            last = middle
        else:
            first = middle + 1
    return moments[first]


def reached(state: State) -> dict[str, datetime]:
    """{person id: when first reached}, of those who may still decide in the open stage or have approved in it.

    People who abstained, rejected, or voted in another stage are left out.
    """
    heard = {one.person: one.at for one in state.heard if one.stage == state.stage}
    said = {vote.person: vote for vote in said_here(state)}
    found: dict[str, datetime] = {}
    for person in {seat.person for seat in state.seats}:
        vote = said.get(person)
        if vote is None and state.has_spoken(person):
            continue
        if vote is not None and vote.choice is Choice.APPROVE:
            found[person] = min(vote.at, heard.get(person, vote.at))
        elif person in heard and (vote is None or vote.choice is Choice.REQUEST_CHANGES):
            found[person] = heard[person]
    return found
