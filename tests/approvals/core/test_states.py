"""The diagram of docs/reference/states.md has every state of a request, and every change that the flow makes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from approvals.core.enums import ENDS, Status
from tests.approvals.core.strategies import events_of, histories, plans
from tests.approvals.core.test_flow_properties import run
from tests.support.diagrams import diagrams

REQUESTS = diagrams()[3]


def test_each_state_is_drawn() -> None:
    assert REQUESTS.states == set(Status)
    assert REQUESTS.starts == {State().status} and REQUESTS.ends == set(map(str, ENDS))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(plans, histories)
def test_each_change_that_happens_is_drawn(plan: Plan, history: list) -> None:  # type: ignore[type-arg]
    for before, after in pairwise(run(plan, list(events_of(history)))):
        assert before.status == after.status or (before.status, after.status) in REQUESTS.arrows
