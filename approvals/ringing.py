"""Let the clocks of a request speak: whatever was due by now happens, unless we were not there when it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from approvals import folding
from approvals.core.clocks import next_due
from approvals.core.events import ClockReached, Resumed
from approvals.core.flow import decide
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.core.words import Status
from approvals.folding import Held
from approvals.hearing import hear_what_was_sent
from approvals.standing import let_back
from notifications.outages import outages_after


def ring(held: Held, at: datetime) -> bool:
    """Whether anything was due by `at`. Inside the caller's transaction, with the request's locks."""
    back = let_back(held, at)
    if not _is_due(held.plan, held.state, at):
        return back
    hear_what_was_sent(held)
    given_back = [
        folding.fold(held, one) for one in _told_once(held.plan, held.state, _away(held.plan, held.state, at))
    ]
    rung = folding.fold(held, ClockReached(at=at))
    return rung or back or any(given_back)


def as_it_would_be(plan: Plan, state: State, at: datetime) -> State:
    """What a look at its clocks would make of it. Stores nothing."""
    if not _is_due(plan, state, at):
        return state
    for one in _away(plan, state, at):
        state = decide(plan, state, one)[0]
    return decide(plan, state, ClockReached(at=at))[0]


def _is_due(plan: Plan, state: State, at: datetime) -> bool:
    due = next_due(plan, state)
    return due is not None and due.at <= at


def _away(plan: Plan, state: State, at: datetime) -> list[Resumed]:
    """The times away that the open stage, or the objections to what was decided, have not got back yet, in order."""
    begun = state.clock_from or state.opened_at
    if begun is None or state.status.is_end:
        return []
    if state.status is Status.COOLING_OFF and state.votes:
        begun = max(vote.at for vote in state.votes)
    found = outages_after(state.absences[-1][1] if state.absences else begun)
    return [Resumed(at=at, since=since, until=until, last=False) for since, until in found]


def _told_once(plan: Plan, state: State, stops: list[Resumed]) -> list[Resumed]:
    """Those that move a clock; with the last of them people are told of the new deadline."""
    found: list[Resumed] = []
    for one in stops:
        after = decide(plan, state, one)[0]
        if after is not state:
            found, state = [*found, one], after
    return [*found[:-1], *(replace(one, last=True) for one in found[-1:])]
