"""The diagrams of docs/reference/states.md have every state of runs and steps, and every change that the flow makes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.core.enums import END_STATUSES, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.events import ForceStopRequested, RerunRequested
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState
from tests.orchestration.core.strategies import plans, seeds
from tests.orchestration.core.test_saga_properties import _bring_to_an_end, _something_happens, world
from tests.support.diagrams import diagrams

RUNS, STEPS, UNDOS, _ = diagrams()


def test_each_state_is_drawn() -> None:
    assert RUNS.states == set(RunStatus)
    assert STEPS.states == set(StepStatus)
    assert UNDOS.states == set(UndoStatus)
    assert RUNS.starts == {"pending"} and RUNS.ends == set(map(str, END_STATUSES))
    assert STEPS.starts == {SagaState(workflow_id="w").step("any").status}
    assert UNDOS.starts == {SagaState(workflow_id="w").step("any").undo}


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(plan=plans(pivots=True) | plans(), random=seeds(), data=st.data())
def test_each_change_that_happens_is_drawn(plan: Plan, random: Random, data: st.DataObject) -> None:
    run = world(plan, random)
    run.start()
    for _ in range(40):
        match random.randrange(40):
            case 0:
                run.feed(ForceStopRequested(at=run.now))
            case 1 | 2:
                run.feed(RerunRequested(at=run.now, step_id=random.choice(plan.order)))
            case _:
                _something_happens(run, data)
    _bring_to_an_end(run)
    before = SagaState(workflow_id="w")
    for _, _, after in run.log:
        assert before.status == after.status or (before.status, after.status) in RUNS.arrows
        for step_id in plan.order:
            one, other = before.step(step_id), after.step(step_id)
            assert one.status == other.status or (one.status, other.status) in STEPS.arrows
            assert one.undo == other.undo or (one.undo, other.undo) in UNDOS.arrows
        before = after
