"""Whose seat may go to somebody new: asked of all at once, it is what each one's refusal says."""

from __future__ import annotations

from hypothesis import given

from approvals.core.approval.events import Delegated
from approvals.core.approval.flow import decide
from approvals.core.approval.guards import refusal, seats_to_hand_on
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from tests.approvals.core.strategies import START, events_of, histories, plans
from tests.support.examples import examples

NOBODY_HERE = "user:0"


def one_by_one(plan: Plan, state: State) -> tuple[str, ...]:
    asked = [(one, Delegated(at=START, person=one, to=NOBODY_HERE)) for one in state.awaited]
    return tuple(one for one, event in asked if not refusal(plan, state, event))


@examples(300)
@given(plans, histories)
def test_all_at_once_is_what_each_refusal_says(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    state = State()
    for event in events_of(history):
        state, _ = decide(plan, state, event)
        assert state.status.is_end or seats_to_hand_on(state) == one_by_one(plan, state)
    assert not state.status.is_end or seats_to_hand_on(state) == ()
