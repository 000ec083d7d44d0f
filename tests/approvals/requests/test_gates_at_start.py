"""A run whose gates name nobody does not start: nothing is done, so nothing has to be undone."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import BadInput
from orchestration.models import Run
from orchestration.runs import publish, start_run
from tests.approvals.scenes import ADA

FIRST = {"step_id": "first", "forward_action": {"type": "api_call", "url": "https://example.org/"}}


def saga(gate: dict[str, Any]) -> dict[str, Any]:
    return {"saga_id": "s", "steps": [FIRST, {"step_id": "gate", "dependencies": ["first"], **gate}]}


def own(**ask: Any) -> dict[str, Any]:
    return {"forward_action": {"type": "approval", "description": "Go on?", **ask}}


@pytest.mark.parametrize(
    ("gate", "field", "said"),
    [
        (own(policy="stndard"), "forward_action.policy", "did you mean 'standard'?"),
        (own(approvers=["zoe"]), "forward_action.approvers", "there is no user 'zoe'"),
        (own(approvers=["{first.output}", "group:none"]), "forward_action.approvers", "there is no group 'none'"),
        (
            {"forward_action": {"type": "api_call", "method": "POST", "url": "https://example.org/"},
             "approval": {"approvers": ["zoe"]}},
            "approval.approvers", "there is no user 'zoe'",
        ),
    ],
)  # fmt: skip
def test_a_gate_that_names_nobody_is_refused(gate: dict[str, Any], field: str, said: str) -> None:
    publish(data=saga(gate), actor=ADA)  # who decides may come later
    with pytest.raises(BadInput) as refused:
        start_run(definition=saga(gate), actor=ADA, engine="celery")
    (problem,) = refused.value.problems
    assert (problem["step"], problem["field"]) == ("gate", field)
    assert said in f"{problem['message']} {problem['remedy']}" and not Run.objects.exists()


@pytest.mark.parametrize("gate", [own(approvers=["{who}"]), own(approvers=["bob"]), own(), own(stage="x")])
def test_what_is_known_or_comes_later_starts(gate: dict[str, Any]) -> None:
    start_run(definition={**saga(gate), "context": {"who": "bob"}}, actor=ADA, engine="celery")
