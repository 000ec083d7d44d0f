"""`WorkflowOrchestratorTool`: the same tool for Python code, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from approvals.models import Vote
from foundation.errors import BadInput, NotAllowed, ZenError
from foundation.models import ApiToken, AuditEvent
from orchestration.models import Run
from tests.support.mcp_clients import answer, problems
from tests.zen_project.mcp.conftest import Person
from tests.zen_project.mcp.test_equality import SAGA
from tests.zen_project.mcp.test_orchestrator import WRONG
from zen_project.mcp import WorkflowOrchestratorTool

pytestmark = pytest.mark.django_db(transaction=True)
STATUS = {"operation": "status", "workflow_id": "o-1", "include_details": True}


@pytest.fixture
def ada(person: Callable[..., Person], settings: Settings) -> Person:
    settings.ZEN_ENGINE = "celery"
    person("approver", "dora")
    return person("operator", "ada")


def started(tool: WorkflowOrchestratorTool, **more: Any) -> Any:
    given = {"operation": "start_workflow", "workflow_type": "saga", "workflow_spec": SAGA, "workflow_id": "o-1"}
    return asyncio.run(tool.execute(given | more))


@pytest.mark.parametrize("how", ["account", "name", "token"])
def test_it_answers_what_the_server_answers(ada: Person, how: str) -> None:
    tool = {
        "account": lambda: WorkflowOrchestratorTool(user=ada.user),
        "name": lambda: WorkflowOrchestratorTool(user="ada"),
        "token": lambda: WorkflowOrchestratorTool(token=ada.token),
    }[how]()
    assert started(tool)["started"] is True
    assert asyncio.run(tool.execute(STATUS)) == answer(ada.tools, "workflow_orchestrator", **STATUS)
    assert asyncio.run(tool(**STATUS)) == asyncio.run(tool(STATUS))
    row = AuditEvent.objects.get(workflow_id="o-1", action="run.start")
    assert (row.actor, row.door) == ("ada", "mcp")
    assert started(tool, wait_seconds=0.2)["started"] is False


def test_it_refuses_in_the_same_words(ada: Person) -> None:
    tool = WorkflowOrchestratorTool(user=ada.user)
    started(tool)
    for given, field, _ in WRONG:
        with pytest.raises(ZenError) as told:
            asyncio.run(tool.execute(given))
        (shown,) = problems(ada.tools, "workflow_orchestrator", **given)
        own = told.value.problems[0] if told.value.problems else {"problem": told.value.message}
        assert (field, own["problem"]) == (shown["field"], shown["problem"])
    assert Run.objects.count() == 1


def test_who_calls_is_said_once_and_has_the_rights_of_that_account_or_token(
    ada: Person, person: Callable[..., Person]
) -> None:
    both: dict[str, Any] = {"user": ada.user, "token": ada.token}
    for given in ({}, both):
        with pytest.raises(BadInput, match="it has to be said who calls"):
            WorkflowOrchestratorTool(**given)
    vera = person("viewer", "vera")
    with pytest.raises(NotAllowed, match="vera may not start runs"):
        started(WorkflowOrchestratorTool(user=vera.user))
    with pytest.raises(NotAllowed, match="the token is not valid"):
        started(WorkflowOrchestratorTool(token="zen_abc_def"))
    bot = ApiToken.issue(ada.user, agent=True)[1]
    started(WorkflowOrchestratorTool(token=bot))
    cancel = {"operation": "cancel_workflow", "workflow_id": "o-1"}
    assert asyncio.run(WorkflowOrchestratorTool(token=bot).execute(cancel))["proposed"] is True
    dora = User.objects.get(username="dora")
    yes = {"operation": "approval", "action": "approve", "approval_id": "o-1.agent-act.abort", "approver_id": "ada"}
    with pytest.raises(NotAllowed, match="is not whose token this is"):
        asyncio.run(WorkflowOrchestratorTool(user=dora).execute(yes))
    found = asyncio.run(WorkflowOrchestratorTool(user=dora).execute(yes | {"approver_id": "dora"}))
    assert found["act"]["state"] == "done" and Vote.objects.get().strength == "process"
    assert Run.objects.get(workflow_id="o-1").status == "rolled_back"


def test_it_tells_what_it_is() -> None:
    tool = WorkflowOrchestratorTool(user="ada")
    assert tool.name == "workflow_orchestrator" and "operation" in tool.input_schema["properties"]
    assert tool.description and tool.output_schema["anyOf"]
