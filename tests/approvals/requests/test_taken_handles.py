"""The handles of a gate's request and of a child can be told beforehand: whoever takes one gains nothing by it."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Request
from approvals.requests import Ask, ask
from approvals.requests.open_request import handle_for_gate
from orchestration.models import Run
from orchestration.runs import start_run
from tests.approvals.requests.test_gates_asked_anew import worked
from tests.approvals.scenes import published
from tests.system.contract.cast import account, actor, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
GATE = {"type": "approval", "policy": "money", "description": "Pay?"}
SAGA: dict[str, Any] = {"saga_id": "pay", "steps": [{"step_id": "gate", "forward_action": GATE}]}
CHILD = {"saga_id": "kid", "steps": [{"step_id": "w", "forward_action": {"type": "wait", "seconds": 0.001}}]}
PARENT = {"saga_id": "above", "steps": [{"step_id": "c", "forward_action": {"type": "saga", "definition": CHILD}}]}


@pytest.fixture(autouse=True)
def people() -> None:
    for name, *groups in (("cfo",), ("friend",), ("mallory", "operator", "approver"), ("alice", "operator")):
        account(name, *groups)
    published({"policy": "money", "stages": [{"name": "cfo", "who": {"users": ["cfo"]}}]})


def taken(name: str, by: str, approver: str) -> Request:
    given = Ask(stage="gate", description="Pay?", approvers=(approver,))
    return ask(given=given, actor=actor(account(by)), request_id=name, engine="celery")[0]


@pytest.mark.parametrize(
    ("by", "approver", "starter"), [("mallory", "friend", "alice"), ("alice", "mallory", "mallory")]
)
@pytest.mark.parametrize("workflow_id", ["order-77", "o" * 200])
def test_a_request_opened_under_a_gates_handle_opens_no_gate(
    workflow_id: str, by: str, approver: str, starter: str
) -> None:
    squatted = taken(handle_for_gate(workflow_id, "gate", 1, 0), by, approver)
    says(approver, "approve", squatted)
    run, _ = start_run(definition=SAGA, actor=actor(account(starter)), workflow_id=workflow_id, engine="celery")
    worked()
    own = Request.objects.get(run__parent=run)
    assert run.steps.get(step_id="gate").status == "running" and own.policy.name == "money"
    squatted.refresh_from_db()
    assert squatted.spent_at is None
    says("cfo", "approve", own)
    worked()
    run.refresh_from_db()
    assert run.status == "completed"


def test_a_run_under_a_gates_handle_hinders_no_gate() -> None:
    start_run(definition=CHILD, actor=actor(account("mallory")), workflow_id="a.gate.1.approval", engine="celery")
    run, _ = start_run(definition=SAGA, actor=actor(account("alice")), workflow_id="a", engine="celery")
    worked()
    says("cfo", "approve", Request.objects.get(run__parent=run))
    worked()
    run.refresh_from_db()
    assert run.status == "completed"


@pytest.mark.parametrize("definition", [CHILD, SAGA])
def test_a_run_under_a_childs_handle_is_no_child(definition: dict[str, Any]) -> None:
    other, _ = start_run(definition=definition, actor=actor(account("mallory")), workflow_id="p.c.1", engine="celery")
    run, _ = start_run(definition=PARENT, actor=actor(account("alice")), workflow_id="p", engine="celery")
    for _ in range(4):
        worked()
    child = Run.objects.get(parent=run)
    assert child != other and child.workflow_id.startswith("p.c.1~")
