"""Let the clocks of a request speak: whatever was due by now happens, unless we were not there when it was."""

from __future__ import annotations

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
from notifications.outages import outage_after


def ring(held: Held, at: datetime) -> bool:
    """Whether anything was due by `at`. Inside the caller's transaction, with the request's locks."""
    back = let_back(held, at)
    if not _is_due(held.plan, held.state, at):
        return back
    hear_what_was_sent(held)
    away = _away(held.plan, held.state, at)
    if away is not None:
        folding.fold(held, away)
    rung = folding.fold(held, ClockReached(at=at))
    return rung or back or away is not None


def as_it_would_be(plan: Plan, state: State, at: datetime) -> State:
    """What a look at its clocks would make of it. Stores nothing."""
    if not _is_due(plan, state, at):
        return state
    away = _away(plan, state, at)
    if away is not None:
        state = decide(plan, state, away)[0]
    return decide(plan, state, ClockReached(at=at))[0]


def _is_due(plan: Plan, state: State, at: datetime) -> bool:
    due = next_due(plan, state)
    return due is not None and due.at <= at


def _away(plan: Plan, state: State, at: datetime) -> Resumed | None:
    """The time that the open stage, or the objections to what was decided, get back. Once for each stage."""
    begun = state.clock_from or state.opened_at
    if state.away is not None or begun is None or state.status.is_end:
        return None
    if state.status is Status.COOLING_OFF and state.votes:
        begun = max(vote.at for vote in state.votes)
    found = outage_after(begun)
    if found is None:
        return None
    since, until = found
    return Resumed(at=max(at, until), since=since, until=until)
