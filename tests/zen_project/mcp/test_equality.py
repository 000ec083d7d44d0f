"""For the same run, request or definition a tool answers what REST answers, field by field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import Client
from pytest_django import Settings

from foundation.models import AuditEvent
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.core.project.specs import given
from tests.support.mcp_clients import answer, call, problems, talk
from tests.zen_project.mcp.conftest import Person
from zen_project.mcp.tools import ENTRIES

pytestmark = pytest.mark.django_db(transaction=True)
SAGA: dict[str, Any] = {
    "saga_id": "order",
    "steps": [
        {"step_id": "first", "forward_action": {"type": "wait", "seconds": 600}},
        {"step_id": "second", "dependencies": ["first"], "forward_action": {"type": "wait", "seconds": 600}},
    ],
}
ASKED = {"stage": "deployment", "description": "Ready?", "approvers": ["dora"], "request_id": "a-1"}


def page(rest: dict[str, Any], parameter: str = "cursor") -> dict[str, Any]:
    """A page of REST as a tool has it: the cursor instead of the address that holds it."""
    found = parse_qs(urlsplit(rest["next"] or "").query).get(parameter)
    return {"results": rest["results"], "next_cursor": found[0] if found else None}


@pytest.fixture
def ada(person: Callable[..., Person]) -> Person:
    """An operator, with two runs and a request."""
    person("approver", "dora")
    ada = person("operator", "ada")
    for name in ("o-1", "o-2"):
        answer(ada.tools, "start_saga", definition=SAGA, workflow_id=name, engine="celery")
    answer(ada.tools, "request_approval", workflow_id="o-1", engine="celery", **ASKED)
    return ada


READS: list[tuple[str, dict[str, Any], str, Callable[[Any], Any]]] = [
    ("list_runs", {}, "runs/", page),
    ("list_runs", {"limit": 1, "status": ["waiting", "held"]}, "runs/?limit=1&status=waiting&status=held", page),
    (
        "list_runs", {"workflow_id": "o-1", "kind": "saga", "engine": "celery", "saga_id": "order"},
        "runs/?workflow_id=o-1&kind=saga&engine=celery&saga_id=order", page,
    ),
    ("get_run", {"workflow_id": "o-1"}, "runs/o-1/", dict),
    ("explain_run", {"workflow_id": "o-1"}, "runs/o-1/why/", dict),
    ("get_events", {"workflow_id": "o-1"}, "runs/o-1/events/", lambda rest: page(rest, "after")),
    ("get_events", {"workflow_id": "o-1", "limit": 1}, "runs/o-1/events/?limit=1", lambda rest: page(rest, "after")),
    ("get_logs", {"workflow_id": "o-1", "limit": 200}, "runs/o-1/logs/?limit=200", lambda rest: page(rest, "after")),
    ("get_logs", {"workflow_id": "o-1", "limit": 1}, "runs/o-1/logs/?limit=1", lambda rest: page(rest, "after")),
    ("list_approvals", {}, "approvals/", page),
    ("list_approvals", {"about": "o-1", "status": ["pending"]}, "approvals/?about=o-1&status=pending", page),
    ("list_approvals", {"mine": True}, "approvals/?mine=true", page),
    ("get_approval", {"request_id": "a-1"}, "approvals/a-1/", lambda rest: rest | {"approval_id": "a-1"}),
    ("preview_act", {"workflow_id": "o-1", "verb": "abort"}, "runs/o-1/preview/abort/", dict),
    (
        "preview_act", {"workflow_id": "o-1", "verb": "rerun", "step_id": "first"},
        "runs/o-1/preview/rerun/?step_id=first", dict,
    ),
]  # fmt: skip


def test_what_is_read_is_what_rest_answers(ada: Person) -> None:
    for name, asked, path, as_a_tool in READS:
        assert answer(ada.tools, name, **asked) == as_a_tool(ada.get(path)), (name, asked)


def test_what_is_judged_at_the_moment_has_the_same_fields(ada: Person) -> None:
    for name, asked, path in (
        ("health", {"workflow_id": "o-1"}, "runs/o-1/health/"),
        ("dashboard", {}, "monitoring/dashboard/"),
    ):
        told, rest = answer(ada.tools, name, **asked), ada.get(path)
        moving = {"generated_at", "checked_at", "metrics", "monitoring", "look_at", "summary"}
        assert told.keys() == rest.keys()
        assert {key: told[key] for key in told.keys() - moving} == {key: rest[key] for key in rest.keys() - moving}


def test_a_definition_is_judged_as_by_rest(ada: Person) -> None:
    for name, path in (("validate_saga", "definitions/validate/"), ("preview_saga", "definitions/preview/")):
        rest = ada.rest.post(f"/api/v1/{path}", SAGA, content_type="application/json").json()
        assert answer(ada.tools, name, definition=SAGA) == rest


def test_each_act_answers_the_run_as_rest_then_shows_it(ada: Person) -> None:
    acts: list[tuple[str, dict[str, Any]]] = [
        ("hold_run", {"note": "wait"}), ("release_run", {}), ("abort_run", {"note": "enough"}),
    ]  # fmt: skip
    for name, asked in acts:
        assert answer(ada.tools, name, workflow_id="o-1", **asked) == ada.get("runs/o-1/")
    doors = AuditEvent.objects.filter(workflow_id="o-1", action__startswith="run.").values_list(
        "action", "door", "actor"
    )
    assert {("run.hold", "mcp", "ada"), ("run.release", "mcp", "ada"), ("run.abort", "mcp", "ada")} <= set(doors)


def test_a_start_that_is_repeated_is_the_same_run_and_none_with_other_content(ada: Person) -> None:
    again = answer(ada.tools, "start_saga", definition=SAGA, workflow_id="o-1", engine="celery")
    assert again == ada.get("runs/o-1/")
    other = call(ada.tools, "start_saga", definition=SAGA, workflow_id="o-1", context={"a": 1})
    body = {"definition": SAGA, "workflow_id": "o-1", "context": {"a": 1}}
    rest = ada.rest.post("/api/v1/runs/", body, content_type="application/json").json()
    assert other.is_error and other.structured_content is not None
    told = other.structured_content["problems"][0]
    assert (told["field"], told["problem"], told["remedy"]) == (rest["field"], rest["detail"], rest["remedy"])


def test_a_project_is_started_as_by_rest(ada: Person, tmp_path: Path, settings: Settings) -> None:
    settings.ZEN_DATA_DIR = tmp_path
    (told,) = problems(ada.tools, "start_project", spec=given(), workflow_id="shop-1", engine="celery")
    body = {"project_spec": given(), "workflow_id": "shop-1", "engine": "celery"}
    rest = ada.rest.post("/api/v1/projects/", body, content_type="application/json").json()
    assert told["problem"] == rest["problems"][0]["problem"] and "agent add" in told["remedy"]
    added("claude", agent_type="CLAUDE", concurrency=2)
    started = answer(ada.tools, "start_project", spec=given(), workflow_id="shop-1", engine="celery")
    assert started == ada.get("projects/shop-1/")
    jsonschema.Draft202012Validator(shapes_of(ada)["start_project"]).validate(started)


def shapes_of(one: Person) -> dict[str, Any]:
    """The output schemas, as a client sees them."""

    async def shapes(client: Client) -> dict[str, Any]:
        return {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}

    return talk(one.tools, shapes)


def test_what_is_answered_has_the_shape_that_is_told(ada: Person) -> None:
    told = shapes_of(ada)
    assert set(told) == {entry.name for entry in ENTRIES}
    for name, asked, _, _ in READS:
        jsonschema.Draft202012Validator(told[name]).validate(answer(ada.tools, name, **asked))
    for name in ("validate_saga", "preview_saga"):
        jsonschema.Draft202012Validator(told[name]).validate(answer(ada.tools, name, definition=SAGA))
    for name, asked in (("health", {"workflow_id": "o-1"}), ("dashboard", {})):
        jsonschema.Draft202012Validator(told[name]).validate(answer(ada.tools, name, **asked))
