"""What is refused when it is asked is what would need an administrator at once, and nothing else."""

from __future__ import annotations

from hypothesis import given

from approvals.core.events import Opened
from approvals.core.feasible import short_of, too_few_for_all
from approvals.core.flow import decide
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.core.words import Status
from tests.approvals.core.strategies import START, plans


def hopeless(plan: Plan) -> bool:
    return any(short_of(plan, stage) for stage in plan.stages) or too_few_for_all(plan)


@given(plans)
def test_whatever_is_refused_would_have_been_stuck(plan: Plan) -> None:
    state, _ = decide(plan, State(), Opened(at=START))
    if hopeless(plan):
        assert state.status is Status.RESCUE
    elif len(plan.stages) == 1:
        assert state.status is Status.PENDING
