"""The names the users know work as they know them."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from foundation.errors import BadInput, NotAllowed, NotFound
from orchestration.client import MultiAgentProjectWorkflow, SagaWorkflow, get_temporal_client
from orchestration.models import Run
from orchestration.sagas import start_distributed_saga
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.core.project.specs import WEB_APP, WEB_APP_CONFIG
from tests.orchestration.core.seed_sagas import ONBOARDING
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_saga_is_started_seen_and_cancelled() -> None:
    result = async_to_sync(start_distributed_saga)(saga_definition=ONBOARDING, coordination_mode="orchestration")
    client = get_temporal_client()
    seen = async_to_sync(client.get_workflow_status)(result["workflow_id"])
    assert (seen["status"], seen["engine"]) == ("running", "celery")
    async_to_sync(client.cancel_workflow)(result["workflow_id"], "not wanted")
    assert async_to_sync(client.get_workflow_status)(result["workflow_id"])["status"] == "compensating"


def test_a_workflow_is_started_by_its_class() -> None:
    client = get_temporal_client()
    assert async_to_sync(client.connect)() is False
    started = async_to_sync(client.start_workflow)(
        workflow_class=SagaWorkflow, workflow_args=ONBOARDING, workflow_id="my-workflow-123"
    )
    assert started["workflow_id"] == "my-workflow-123"


def test_a_project_is_started_by_its_class() -> None:
    account("bob")
    for name in ("CLAUDE", "AIDER"):
        added(name.lower(), agent_type=name)
    client = get_temporal_client()
    started = async_to_sync(client.start_workflow)(
        workflow_class=MultiAgentProjectWorkflow, workflow_args=WEB_APP, config=WEB_APP_CONFIG
    )
    assert started["workflow_id"] == "web-app-project"
    assert Run.objects.get(workflow_id="web-app-project").kind == "multi_agent_project"
    with pytest.raises(BadInput, match="is not one of ours"):
        async_to_sync(client.start_workflow)(workflow_class="Other", workflow_args={})


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(NotFound):
        async_to_sync(get_temporal_client().get_workflow_status)("nobody")
    with pytest.raises(BadInput, match="coordination_mode"):
        async_to_sync(start_distributed_saga)(saga_definition=ONBOARDING, coordination_mode="other")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"saga_definition": None}, "definition"),
        ({"saga_definition": "str"}, "definition"),
        ({"saga_definition": [("saga_id", "x")]}, "definition"),
        ({"saga_definition": ONBOARDING, "context": "str"}, "context"),
        ({"saga_definition": ONBOARDING, "config": 5}, "config"),
    ],
)
def test_what_is_no_mapping_is_bad_input(given: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        async_to_sync(start_distributed_saga)(**given)
    assert field in {refused.value.field, *(problem["field"] for problem in refused.value.problems)}
    assert "mapping" in f"{refused.value} {refused.value.remedy}" and not Run.objects.exists()


def test_a_run_from_python_belongs_to_the_account_that_is_named() -> None:
    erin = account("erin", "operator")
    account("ned", "viewer")
    saga = {"saga_id": "s", "steps": [{"step_id": "w", "forward_action": {"type": "wait", "seconds": 60}}]}
    async_to_sync(start_distributed_saga)(saga, workflow_id="mine", engine="celery", started_by="erin")
    run = Run.objects.get(workflow_id="mine")
    assert (run.created_by, run.created_by_id) == ("erin", erin.pk)
    for who, refusal in (("ned", NotAllowed), ("nobody", BadInput)):
        with pytest.raises(refusal):
            async_to_sync(start_distributed_saga)(saga, engine="celery", started_by=who)
    assert Run.objects.count() == 1
