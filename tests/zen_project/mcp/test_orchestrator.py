"""`workflow_orchestrator`: the four examples of the first Zen's description word for word, and each operation."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from pytest_django import Settings

from approvals.models import Request, Vote
from foundation.models import ApiToken, AuditEvent
from orchestration.models import Run
from tests.orchestration.agents.endpoints.scenes import added
from tests.support.mcp_clients import Target, answer, over_http, over_stdio, problems, site
from tests.zen_project.mcp.conftest import Person
from tests.zen_project.mcp.test_equality import SAGA, shapes_of

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES: list[dict[str, Any]] = json.loads("""[
{
    "operation": "start_workflow",
    "workflow_type": "multi_agent_project",
    "workflow_spec": {
        "project_id": "test-project",
        "name": "Test Project",
        "description": "Test project workflow",
        "requirements": ["Feature A", "Feature B"],
        "constraints": {"timeline": "1 week"},
        "success_criteria": ["All features working"],
        "estimated_duration_hours": 20,
        "agents_required": ["CLAUDE"]
    }
},
{
    "operation": "status",
    "workflow_id": "workflow-123",
    "include_details": true
},
{
    "operation": "approval",
    "action": "request",
    "workflow_id": "workflow-123",
    "stage": "deployment",
    "description": "Approve production deployment",
    "context": {"environment": "production"}
},
{
    "operation": "approval",
    "action": "approve",
    "approval_id": "approval-456",
    "approver_id": "user@company.com",
    "feedback": "Ready for deployment"
}
]""")


def does(target: Target, operation: str, **given: Any) -> dict[str, Any]:
    return answer(target, "workflow_orchestrator", operation=operation, **given)


def refused(target: Target, operation: str, **given: Any) -> list[dict[str, str]]:
    return problems(target, "workflow_orchestrator", operation=operation, **given)


def token_of(name: str, role: str, email: str) -> str:
    user = User.objects.create_user(name, email=email)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return ApiToken.issue(user)[1]


def test_the_four_examples_work_as_they_stand_over_both_transports(process_env: dict[str, str], tmp_path: Path) -> None:
    env = process_env | {"ZEN_ENGINE": "celery", "ZEN_DATA_DIR": str(tmp_path)}
    added("claude", agent_type="CLAUDE", concurrency=2)
    ada, user = token_of("ada", "operator", "ada@company.com"), token_of("user", "approver", "user@company.com")
    with site(env) as served:
        for number, reach in enumerate((partial(over_http, served.url), partial(over_stdio, env))):
            the_four_examples(reach(ada), reach(user), again=number)
    assert Vote.objects.count() == 1 and Request.objects.count() == 3


def the_four_examples(ada: Target, user: Target, *, again: int) -> None:
    """What is there before, and the examples in their order. `again`: how often that was done already."""
    ask = {"stage": "deployment", "description": "Ready?", "approvers": ["user"]}
    does(ada, "start_workflow", workflow_type="saga", workflow_spec=SAGA, workflow_id="workflow-123")
    does(ada, "start_workflow", workflow_type="approval", workflow_spec=ask, workflow_id="approval-456")
    told = [answer(ada, "workflow_orchestrator", **given) for given in EXAMPLES[:3]]
    started, shown, asked = told
    run = Run.objects.get(workflow_id="test-project")
    assert started.pop("url").endswith(f"/admin/orchestration/run/{run.pk}/change/")
    assert started == {
        "workflow_id": "test-project", "kind": "multi_agent_project", "engine": "celery", "status": run.status,
        "started": not again,
    }  # fmt: skip
    assert shown["workflow_id"] == "workflow-123" and [one["step_id"] for one in shown["steps"]] == ["first", "second"]
    assert shown["why"] and len(shown["approvals"]) == again and shown["events"][0]["kind"]
    assert asked["approval_id"] == asked["request_id"] and asked["status"] == "pending"
    assert (asked["about"], asked["stage"]) == ("workflow-123", "deployment")
    assert asked["content"]["context"] == {"environment": "production"}
    decided = answer(user, "workflow_orchestrator", **EXAMPLES[3])
    assert (decided["approval_id"], decided["status"], decided["decided_by"]) == ("approval-456", "approved", "user")
    assert [vote["comment"] for vote in decided["votes"]] == ["Ready for deployment"]


@pytest.fixture
def ada(person: Callable[..., Person]) -> Person:
    """An operator, with a saga's run."""
    person("approver", "dora")
    ada = person("operator", "ada")
    answer(ada.tools, "start_saga", definition=SAGA, workflow_id="o-1", engine="celery")
    return ada


def test_a_start_is_idempotent_by_its_id_for_each_type(ada: Person, settings: Settings) -> None:
    settings.ZEN_ENGINE = "celery"
    ask = {"stage": "deployment", "description": "Ready?", "approvers": ["dora"]}
    for kind, given, name in (
        ("saga", {"workflow_type": "saga", "workflow_spec": SAGA}, "s-1"),
        ("approval", {"workflow_type": "approval", "workflow_spec": ask}, "a-1"),
        (
            "approval",
            {"workflow_type": "approval", **ask, "approvers": None} | {"config": {"approvers": ["dora"]}},
            "a-2",
        ),
    ):
        given.pop("approvers", None)
        first = does(ada.tools, "start_workflow", workflow_id=name, **given)
        assert (first["workflow_id"], first["kind"], first["started"]) == (name, kind, True)
        assert does(ada.tools, "start_workflow", workflow_id=name, **given) == first | {"started": False}
    (told,) = refused(
        ada.tools, "start_workflow", workflow_type="saga", workflow_spec=SAGA, workflow_id="s-1", context={"a": 1}
    )
    assert told["field"] == "workflow_id"
    by_name = does(ada.tools, "start_workflow", workflow_type="saga", workflow_spec={"saga_id": "order"})
    assert by_name["started"] and by_name["workflow_id"].startswith("order-")


def test_what_it_tells_is_what_rest_and_the_console_tell(ada: Person, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("runs", "show", "o-1", "--json")
    assert does(ada.tools, "status", workflow_id="o-1") == json.loads(capsys.readouterr().out)
    detailed = does(ada.tools, "status", workflow_id="o-1", include_details=True)
    assert detailed["why"] == ada.get("runs/o-1/why/")["lines"]
    assert detailed["events"] == ada.get("runs/o-1/events/")["results"]
    asked = does(
        ada.tools, "approval", action="request", workflow_id="o-1", stage="x", approval_id="a-1",
        config={"approvers": ["dora"]},
    )  # fmt: skip
    assert asked == does(ada.tools, "approval", action="show", approval_id="a-1")
    assert asked == ada.get("approvals/a-1/") | {"approval_id": "a-1"}
    listed = does(ada.tools, "approval", action="list", workflow_id="o-1", status="pending")
    (row,) = ada.get("approvals/?about=o-1&status=pending")["results"]
    assert listed == {"approvals": [row | {"approval_id": "a-1"}], "next_cursor": None}
    assert does(ada.tools, "list_workflows")["workflows"] == ada.get("runs/")["results"]
    first = does(ada.tools, "list_workflows", limit=1)
    assert len(first["workflows"]) == 1
    rest = does(ada.tools, "list_workflows", limit=1, cursor=first["next_cursor"])
    assert first["workflows"] + rest["workflows"] == ada.get("runs/")["results"]
    for kind in ({"kind": "saga"}, {"workflow_type": "saga"}):
        assert does(ada.tools, "list_workflows", status=["waiting"], **kind)["workflows"][0]["workflow_id"] == "o-1"
    health = does(ada.tools, "monitor", workflow_id="o-1")
    assert health["workflow_id"] == "o-1" and health.keys() == ada.get("runs/o-1/health/").keys()
    assert does(ada.tools, "monitor").keys() == ada.get("monitoring/dashboard/").keys()


def test_a_cancel_aborts_and_tells_what_that_undoes(ada: Person) -> None:
    preview = ada.get("runs/o-1/preview/abort/")
    found = does(ada.tools, "cancel_workflow", workflow_id="o-1", feedback="enough")
    assert found["preview"] == preview and found["status"] == "rolled_back"
    row = AuditEvent.objects.get(workflow_id="o-1", action="run.abort")
    assert (row.actor, row.door, row.note) == ("ada", "mcp", "enough")
    (told,) = refused(ada.tools, "cancel_workflow", workflow_id="o-1")
    assert told["field"] == "verb"


def test_each_answer_has_the_shape_that_is_told(ada: Person) -> None:
    shape = jsonschema.Draft202012Validator(shapes_of(ada)["workflow_orchestrator"])
    for operation, given in (
        ("start_workflow", {"workflow_type": "saga", "workflow_spec": SAGA, "workflow_id": "s-1"}),
        ("status", {"workflow_id": "o-1"}),
        ("status", {"workflow_id": "o-1", "include_details": True}),
        ("approval", {"action": "request", "stage": "x", "approval_id": "a-1"}),
        ("approval", {"action": "show", "approval_id": "a-1"}),
        ("approval", {"action": "list"}),
        ("monitor", {}),
        ("monitor", {"workflow_id": "o-1"}),
        ("list_workflows", {}),
        ("cancel_workflow", {"workflow_id": "o-1"}),
    ):
        shape.validate(does(ada.tools, operation, **given))


def test_nobody_decides_in_anothers_name(ada: Person, person: Callable[..., Person], settings: Settings) -> None:
    person("approver", "eve")
    settings.ZEN_MCP_TOKEN = ada.token
    asked = {"approvers": ["dora", "eve"], "how_many": "all"}
    does(ada.tools, "approval", action="request", stage="x", approval_id="a-1", config=asked)
    user = User.objects.get(username="dora")
    settings.ZEN_MCP_TOKEN = ApiToken.issue(user)[1]
    for another in ("eve", "eve@example.com", "nobody", "Eve"):
        (told,) = refused(ada.tools, "approval", action="approve", approval_id="a-1", approver_id=another)
        assert told["field"] == "approver_id" and told["value"] == another
    assert not Vote.objects.exists()
    found = does(
        ada.tools, "approval", action="reject", approval_id="a-1", approver_id="DORA@Example.com", feedback="no"
    )
    assert found["status"] == "rejected" and Vote.objects.get().name == "dora"
    settings.ZEN_MCP_TOKEN = ""
    (told,) = refused(ada.tools, "approval", action="approve", approval_id="a-1", approver_id="dora")
    assert "set ZEN_MCP_TOKEN" in told["remedy"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"operation": "begin"}, "operation", '"begin" is not a valid choice.'),
    ({"operation": "status"}, "workflow_id", "This field is required."),
    ({"operation": "approval"}, "action", "This field is required."),
    ({"operation": "approval", "action": "approve"}, "approval_id", "This field is required."),
    ({"operation": "approval", "action": "request"}, "stage", "This field is required."),
    ({"operation": "start_workflow"}, "workflow_type", "This field is required."),
    ({"operation": "start_workflow", "workflow_type": "saga"}, "workflow_spec", "This field is required."),
    ({"operation": "start_workflow", "workflow_type": "saga", "workflow_spec": []}, "workflow_spec", "Not an object."),
    ({"operation": "status", "workflow_id": "o-1", "stage": "x"}, "stage", "is nothing that status takes"),
    ({"operation": "status", "workflow_id": "o-1", "wait_seconds": 5}, "wait_seconds", "is nothing that status takes"),
    ({"operation": "list_workflows", "status": ["odd"]}, "status", "'odd' is not a status"),
    ({"operation": "status", "workflow_id": "none"}, "workflow_id", "there is no run 'none'"),
    ({"operation": "approval", "action": "show", "approval_id": "none"}, "request_id", "there is no approval 'none'"),
    ({"operation": "monitor", "workfow_id": "o-1"}, "workfow_id", "is not a known key"),
]


def test_what_is_wrong_is_refused_by_field_and_changes_nothing(ada: Person) -> None:
    runs, events = Run.objects.count(), AuditEvent.objects.count()
    for given, field, problem in WRONG:
        (told,) = problems(ada.tools, "workflow_orchestrator", **given)
        assert told["field"] == field and told["problem"].startswith(problem), told
    spec = {"saga_id": "order", "steps": [{"step_id": "a"}]}
    told, *_ = refused(ada.tools, "start_workflow", workflow_type="saga", workflow_spec=spec)
    rest = ada.rest.post("/api/v1/runs/", {"definition": spec}, content_type="application/json").json()
    assert (told["field"], told["problem"]) == (rest["problems"][0]["field"], rest["problems"][0]["message"])
    told, *_ = refused(ada.tools, "start_workflow", workflow_type="multi_agent_project", workflow_spec={"name": 7})
    rest = ada.rest.post("/api/v1/projects/", {"project_spec": {"name": 7}}, content_type="application/json").json()
    assert told == rest["problems"][0] | {"value": told["value"]}
    assert (Run.objects.count(), AuditEvent.objects.count()) == (runs, events)


def test_empty_arguments_count_as_left_out(ada: Person) -> None:
    found = does(ada.tools, "status", workflow_id="o-1", stage="", context={}, include_details=False, action=None)
    assert found["workflow_id"] == "o-1"
