"""Who has heard of the open stage, and since when its silence can say something."""

from __future__ import annotations

from datetime import datetime

from approvals.core.plan import Plan
from approvals.core.quorum import abstained, is_matched, said_here, slots_of
from approvals.core.state import State
from approvals.core.words import AtTheEnd, Choice

SAYS_YES = "If nobody decides in time, it counts as a yes: its policy says so."


def silence_is_yes(plan: Plan, state: State) -> bool:
    """Whether it matters who has heard of the open stage."""
    return plan.stages[state.stage].at_the_end is AtTheEnd.APPROVE


def heard_since(plan: Plan, state: State) -> datetime | None:
    """Since when as many as the open stage needs could have spoken: they have heard of it, or said yes to it.

    None while they are too few: then nobody's silence stands for a yes.
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
    """By person, of those who may still speak in the open stage or have said yes in it: when they first heard of it.

    Whoever abstained or said no was not silent, and whoever spoke in another stage has no word here.
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
