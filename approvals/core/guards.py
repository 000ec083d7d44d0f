"""Why an event is not legal now, in words; '' when it is."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from approvals.core.clocks import can_be_reminded_at
from approvals.core.events import (
    Cancelled,
    ClockReached,
    ContentChanged,
    Delegated,
    Delivered,
    Event,
    Opened,
    PeopleBack,
    PeopleLeft,
    PeopleNamed,
    Reminded,
    Resumed,
    Revoked,
    Voted,
    Withdrawn,
)
from approvals.core.feasible import can_pass
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.core.words import Choice, Status

BARRED = "whoever asked for it, wrote it or owns the agent that did cannot decide it"


def refusal(plan: Plan, state: State, event: Event) -> str:
    if isinstance(event, Revoked):
        can_be_taken_back = state.status in (Status.APPROVED, Status.COOLING_OFF)
        return "" if can_be_taken_back else f"the request is {state.status}; only a yes can be taken back"
    if isinstance(event, ContentChanged) and state.status is Status.APPROVED:
        return ""
    if state.status.is_end:
        return f"the request is {state.status} already"
    match event:
        case Opened():
            return "it is open already" if state.version else ""
        case Reminded():
            return _why_not_remind(state, event)
        case Voted():
            return _why_not_vote(plan, state, event)
        case Delegated():
            return _why_not_delegate(plan, state, event)
        case ContentChanged() | ClockReached() | Delivered() | Resumed() | Withdrawn() | Cancelled():
            return ""
        case PeopleLeft() | PeopleBack():
            return ""
        case PeopleNamed():
            left = event.people - plan.barred
            return "" if left else "nobody of them may decide: they asked for it themselves"
        case _:
            assert_never(event)


def _why_not_vote(plan: Plan, state: State, event: Voted) -> str:
    if event.person in plan.barred:
        return BARRED
    if state.seat_of(event.person) is None:
        return "this person is not among those who decide now"
    if state.has_spoken(event.person):
        return "this person has decided already"
    if state.status is Status.COOLING_OFF and event.choice is not Choice.REJECT:
        return "it is approved, and can only be objected to until that holds"
    if not state.status.can_be_decided and state.status is not Status.COOLING_OFF:
        return f"the request is {state.status}"
    return ""


def _why_not_remind(state: State, event: Reminded) -> str:
    if state.status is Status.COOLING_OFF:
        return "it is approved already, and nobody owes an answer"
    free = can_be_reminded_at(state)
    return "they were reminded a moment ago" if free is not None and event.at < free else ""


def _why_not_delegate(plan: Plan, state: State, event: Delegated) -> str:
    seat = state.seat_of(event.person)
    if not state.status.can_be_decided:
        return f"the request is {state.status}"
    if seat is None:
        return "this person has no vote here to give away"
    if state.has_spoken(event.person):
        return "this person has decided already"
    if seat.owner != seat.person:
        return "a vote that was handed on once cannot be handed on again"
    if event.to == event.person:
        return "nobody can delegate to themselves"
    if event.to in plan.barred:
        return "it cannot go back to whoever asked for it, wrote it or owns the agent that did"
    if state.seat_of(event.to) is not None or state.has_spoken(event.to):
        return "the other person decides here already"
    after = replace(state, seats=state.handed_on(event.person, event.to))
    if can_pass(plan, state) and not can_pass(plan, after):
        return "the other person is needed elsewhere in this request, and decides once: it could not pass any more"
    return ""
