"""What the event log says of an attempt that a lost worker may have performed already."""

from __future__ import annotations

from random import Random

import pytest

from orchestration.core.enums import Outcome, Purpose
from orchestration.core.saga.events import ActionEnded, RunStarted
from orchestration.core.saga.facts import Fact, facts_of
from orchestration.core.saga.flow import decide
from orchestration.core.saga.state import SagaState
from tests.orchestration.core.saga_world import T0, World, make_plan
from tests.orchestration.core.test_reruns import abort, rerun


@pytest.mark.parametrize(
    ("tries", "outcome", "told"),
    [(1, Outcome.SUCCEEDED, []), (2, Outcome.SUCCEEDED, [2]), (3, Outcome.FAILED, [3]), (2, Outcome.PARKED, [])],
)
def test_a_call_that_may_have_been_repeated_is_in_the_log(tries: int, outcome: Outcome, told: list[int]) -> None:
    plan = make_plan({"a": ()}, a={"gated": True})
    before, _ = decide(plan, SagaState(workflow_id="w"), RunStarted(at=T0))
    event = ActionEnded(
        at=T0, step_id="a", purpose=Purpose.FORWARD, iteration=1, attempt=1, outcome=outcome, tries=tries
    )
    after, _ = decide(plan, before, event)
    facts = facts_of(before, event, after)
    assert [f.data["tries"] for f in facts if f.kind == "step.possibly_repeated"] == told


def test_both_iterations_of_an_undo_are_in_the_log() -> None:
    run = World(make_plan({"a": ()}, a={"has_undo": True}), lambda _: Outcome.SUCCEEDED, Random(1))
    run.run()
    rerun(run, "a")
    abort(run)
    facts: list[Fact] = []
    before = SagaState(workflow_id="w")
    for event, _, after in run.log:
        facts += facts_of(before, event, after)
        before = after
    undone = [(f.kind, f.data.get("iteration")) for f in facts if f.kind.startswith("undo.") and "ended" not in f.kind]
    assert undone == [
        ("undo.compensating", 2), ("undo.compensated", 2), ("undo.compensating", 1), ("undo.compensated", 1),
    ]  # fmt: skip
