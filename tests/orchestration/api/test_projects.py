"""What the API tells of projects and agents: as its document says, key for key, and as the console has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings

from foundation.models import AuditEvent
from orchestration.models import Run
from orchestration.workers.celery import in_process
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.api.test_runs import client_of, post
from tests.orchestration.core.project.specs import given
from tests.system.contract.cast import account
from tests.system.contract.hosts import until

pytestmark = pytest.mark.django_db(transaction=True)
CRITERIA = [{"text": "There is a cart", "check": "test -f t1.md"}]
VIEWS = ("plan", "tasks", "requirements", "evidence", "costs")


@pytest.fixture
def engine(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[str]:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    account("bob")
    added("claude", agent_type="CLAUDE", concurrency=2)
    with in_process.hosted(queues={"default": 4, "agents": 4}):
        yield "celery"


def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def differences(schema: dict[str, Any], value: Any, parts: dict[str, Any], at: str = "") -> list[str]:
    """The keys of an answer that its schema does not name, and the other way round."""
    for one in schema.get("allOf", schema.get("oneOf", [])):
        if "$ref" in one:
            schema = one
    if "$ref" in schema:
        schema = parts[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list) and "items" in schema:
        return [line for one in value for line in differences(schema["items"], one, parts, f"{at}[]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    known, needed = set(schema["properties"]), set(schema.get("required", ()))
    found = [f"{at}.{name} is not in the document" for name in set(value) - known]
    found += [f"{at}.{name} is missing" for name in needed - set(value)]
    for name in known & set(value):
        found += differences(schema["properties"][name], value[name], parts, f"{at}.{name}")
    return found


def console(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    call_command(*words, "--json")
    return json.loads(capsys.readouterr().out)


def test_answers_are_as_the_document_and_the_console_have_them(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    spec = given(requirements=["A cart", "A till"], success_criteria=CRITERIA, constraints={"budget": 20})
    client, read = client_of("operator"), document()
    answer = post(client, "projects/", {"project_spec": spec, "workflow_id": "shop-1", "engine": engine})
    assert answer.status_code == 201 and answer["Location"].endswith("/api/v1/projects/shop-1/")
    assert until(Run.objects.get(workflow_id="shop-1")).status == "completed"
    assert post(client, "projects/", {"project_spec": spec, "workflow_id": "shop-1"}).status_code == 200
    for path, words in {
        "projects/{workflow_id}/": ("project", "show", "shop-1"),
        **{f"projects/{{workflow_id}}/{view}/": ("project", view, "shop-1") for view in VIEWS},
        "agents/": ("agent", "list"),
        "agents/{name}/": ("agent", "show", "claude"),
    }.items():
        told = client.get(f"/api/v1/{path.format(workflow_id='shop-1', name='claude')}").json()
        responses = read["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]
        schema = responses["content"]["application/json"]["schema"]
        assert told and differences(schema, told, read["components"]["schemas"], path) == []
        if path == "projects/{workflow_id}/":  # who asks may do what: a console has no role that could lack
            for one in (told, *told["steps"]):
                del one["allowed_actions"]
        assert console(capsys, *words) == told, path
    assert [row.actor for row in AuditEvent.objects.filter(workflow_id="shop-1", action="run.start")] == ["operator1"]


def test_what_may_be_sent_is_in_the_document(engine: str) -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["ProjectIn"]["properties"]["project_spec"] == {"$ref": "#/components/schemas/ProjectSpec"}
    spec, config = schemas["ProjectSpec"], schemas["ProjectConfig"]
    assert spec["additionalProperties"] is config["additionalProperties"] is False
    assert spec["required"] == ["project_id", "name", "requirements", "agents_required"]
    criterion, gate = (spec["properties"][name]["items"] for name in ("success_criteria", "approval_gates"))
    assert {"type": "string"} in criterion["anyOf"] and {"type": "string"} in gate["anyOf"]
    assert {"$ref": "#/components/schemas/ProjectSpecCriterion"} in criterion["anyOf"]
    assert schemas["ProjectSpecCriterion"]["additionalProperties"] is False
    for name in ("ProjectIn", "ProjectSpecIn", "AgentIn"):
        assert schemas[name]["additionalProperties"] is False, name
    assert config["properties"]["max_parallel_agents"]["maximum"] == 100


def test_whether_it_could_be_started_is_said_as_the_console_says_it(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gates = ["Design", {"name": "Cart", "after": "t1"}, {"name": "End", "before": "report"}]
    spec = given(approval_gates=gates)
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec, default=str))
    client = client_of("viewer")
    told = post(client, "projects/validate/", {"project_spec": spec})
    assert told.status_code == 200 and told.json() == console(capsys, "project", "validate", str(file))
    places = [(one["name"], one["side"], one["at"]) for one in told.json()["gates"]]
    assert places == [("Design", "before", "build"), ("End", "before", "report"), ("Cart", "after", "t1")]
    checked = document()["components"]["schemas"]["ProjectChecked"]
    assert differences(checked, told.json(), document()["components"]["schemas"], "checked") == []
    capsys.readouterr()
    call_command("project", "validate", str(file))
    assert "gate 'Design' before build" in capsys.readouterr().out
    wrong = post(client, "projects/validate/", {"project_spec": spec | {"estimated_duration_hours": True}})
    assert wrong.status_code == 422 and wrong.json()["field"] == "estimated_duration_hours"


def test_the_gates_of_tasks_are_told_before_there_is_a_build(engine: str) -> None:
    gates = ["Architecture Review", {"name": "Cart", "before": "t1", "approvers": ["bob"]}]
    body = {"project_spec": given(approval_gates=gates), "workflow_id": "shop-2", "engine": engine}
    client = client_of("operator")
    assert post(client, "projects/", body).status_code == 201
    until(Run.objects.get(workflow_id="shop-2"), lambda run: run.children.filter(kind="approval").exists())
    told = client.get("/api/v1/projects/shop-2/").json()["gates"]
    assert [(one["name"], one["status"]) for one in told] == [("Architecture Review", "waiting"), ("Cart", "pending")]
