"""Why an event is not legal now, in words; '' when it is."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from approvals.core.approval.events import (
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
from approvals.core.approval.feasibility import can_pass
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from approvals.core.approval.timers import can_be_reminded_at
from approvals.core.enums import Choice, Status

BARRED = "the requester, the author and the owner of the agent that asked cannot decide it"


def refusal(plan: Plan, state: State, event: Event) -> str:
    if isinstance(event, Revoked):
        can_be_taken_back = state.status in (Status.APPROVED, Status.COOLING_OFF)
        return "" if can_be_taken_back else f"the request is {state.status}; only an approval can be revoked"
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
            return "" if left else "none of them may decide: they asked for it themselves"
        case _:
            assert_never(event)


def seats_to_hand_on(state: State) -> tuple[str, ...]:
    """Who among `awaited` may give their seat to an account that has no part in the request at all.

    The same as `refusal` of each one's `Delegated`, which looks at all seats each time: a newcomer can fill whatever
    slot the seat could, and is needed for no other, so that the request can pass as before.
    """
    if not state.status.can_be_decided:
        return ()
    own = {seat.person for seat in state.seats if seat.owner == seat.person}
    return tuple(person for person in state.awaited if person in own)


def _why_not_vote(plan: Plan, state: State, event: Voted) -> str:
    if event.person in plan.barred:
        return BARRED
    if state.seat_of(event.person) is None:
        return "this person is not among those who decide now"
    if state.has_spoken(event.person):
        return "this person has decided already"
    if state.status is Status.COOLING_OFF and event.choice is not Choice.REJECT:
        return "it is approved; until that takes effect it can only be objected to"
    if not state.status.can_be_decided and state.status is not Status.COOLING_OFF:
        return f"the request is {state.status}"
    return ""


def _why_not_remind(state: State, event: Reminded) -> str:
    if state.status is Status.COOLING_OFF:
        return "it is already approved; no decision is outstanding"
    free = can_be_reminded_at(state)
    return "they were reminded a moment ago" if free is not None and event.at < free else ""


def _why_not_delegate(plan: Plan, state: State, event: Delegated) -> str:
    seat = state.seat_of(event.person)
    if not state.status.can_be_decided:
        return f"the request is {state.status}"
    if seat is None:
        return "this person has no vote here to delegate"
    if state.has_spoken(event.person):
        return "this person has decided already"
    if seat.owner != seat.person:
        return "a delegated vote cannot be delegated again"
    if event.to == event.person:
        return "a vote cannot be delegated to its own holder"
    if event.to in plan.barred:
        return "it cannot be delegated to the requester, the author or the owner of the agent that asked"
    if state.seat_of(event.to) is not None or state.has_spoken(event.to):
        return "the other person decides here already"
    after = replace(state, seats=state.handed_on(event.person, event.to))
    if can_pass(plan, state) and not can_pass(plan, after):
        return "the other person is needed for another stage and decides only once: the request could no longer pass"
    return ""
