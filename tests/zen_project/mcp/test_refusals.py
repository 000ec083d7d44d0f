"""What is wrong is refused in the words of REST, with field, problem and remedy, and has changed nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import Client
from pytest_django import Settings

from foundation.api import limits
from foundation.clock import now
from foundation.models import ApiToken, AuditEvent
from orchestration.models import Run
from tests.support.mcp_clients import answer, in_process, problems, talk
from tests.zen_project.mcp.conftest import Person
from zen_project.mcp.tools import ENTRIES

pytestmark = pytest.mark.django_db(transaction=True)
SAGA: dict[str, Any] = {
    "saga_id": "order",
    "steps": [{"step_id": "first", "forward_action": {"type": "wait", "seconds": 600}}],
}

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("definition", {"definition": "x"}),
    ("workflow_id", {"definition": SAGA, "workflow_id": "a/b"}),
    ("workflow_id", {"definition": SAGA, "workflow_id": 7}),
    ("workflow_id", {"definition": SAGA, "workflow_id": "a" * 201}),
    ("engine", {"definition": SAGA, "engine": "abacus"}),
    ("context", {"definition": SAGA, "context": []}),
    ("config", {"definition": SAGA, "config": {"max_parallel": 0}}),
    ("version", {"saga_id": "order", "version": 0}),
    ("definition", {}),
    ("definition", {"definition": SAGA, "saga_id": "order"}),
    ("steps[0].forward_action", {"definition": {"saga_id": "order", "steps": [{"step_id": "a"}]}}),
]


def test_a_start_is_refused_in_the_words_of_rest(person: Callable[..., Person]) -> None:
    ada = person("operator", "ada")
    for _, given in WRONG:
        rest = ada.rest.post("/api/v1/runs/", given, content_type="application/json").json()
        own = rest.get("problems") or [
            {"field": rest["field"], "problem": rest["detail"], "remedy": rest.get("remedy", "")}
        ]
        told = problems(ada.tools, "start_saga", **given)
        assert [(one["field"], one["problem"]) for one in told] == [
            (one["field"], one.get("problem") or one["message"]) for one in own
        ], given
        assert all(set(one) >= {"field", "problem", "remedy", "value"} for one in told)
    assert not Run.objects.exists() and not AuditEvent.objects.filter(action="run.start").exists()


def test_an_unknown_argument_is_refused_with_the_known_ones(person: Callable[..., Person]) -> None:
    ada = person("operator", "ada")
    (told,) = problems(ada.tools, "list_runs", statsu=["running"])
    assert told["field"] == "statsu"
    assert told["problem"].startswith("is not a known key; the keys here are: status, saga_id, kind")
    (told,) = problems(ada.tools, "dashboard", approver_id="ada")
    assert told["problem"] == "is not a known key; there are none here"


def test_a_verb_that_is_not_legal_says_why_as_rest_does(person: Callable[..., Person]) -> None:
    ada = person("operator", "ada")
    answer(ada.tools, "start_saga", definition=SAGA, workflow_id="o-1", engine="celery")
    for name, verb, given in (("release_run", "release", {}), ("retry_step", "retry", {"step_id": "first"})):
        rest = ada.rest.post(f"/api/v1/runs/o-1/{verb}/", given, content_type="application/json").json()
        (told,) = problems(ada.tools, name, workflow_id="o-1", **given)
        assert (told["field"], told["problem"]) == (rest["field"], rest["detail"])
    (told,) = problems(ada.tools, "skip_step", workflow_id="o-1")
    assert (told["field"], told["problem"]) == ("step_id", "This field is required.")


def test_roles_and_scopes_hold(person: Callable[..., Person]) -> None:
    vera = person("viewer", "vera")
    (told,) = problems(vera.tools, "start_saga", definition=SAGA)
    assert (told["problem"], told["remedy"]) == (
        "vera may not start runs",
        "ask for the role administrator or operator",
    )
    nobody = person("", "nobody")
    (told,) = problems(nobody.tools, "list_runs")
    assert told["problem"] == "nobody may not look at anything here"
    bound = person("operator", "olga", scopes=["view"])
    (told,) = problems(bound.tools, "start_saga", definition=SAGA)
    assert told["problem"] == "this token may not start runs" and told["remedy"] == "use one with the scope run.start"


def test_a_token_that_is_over_is_told_at_the_next_call(person: Callable[..., Person]) -> None:
    ada = person("operator", "ada")
    assert answer(ada.tools, "list_runs")["results"] == []
    ApiToken.objects.update(expires_at=now() - timedelta(seconds=1))
    (told,) = problems(ada.tools, "list_runs")
    assert told["problem"] == "the token is not valid or has expired" and "token create" in told["remedy"]


def test_too_many_requests_are_refused_with_the_seconds_to_wait(
    person: Callable[..., Person], settings: Settings
) -> None:
    ada = person("operator", "ada")
    settings.ZEN_API_RATE_PER_TOKEN = 12
    limits.forget()

    async def often(client: Client) -> list[Any]:
        return [await client.call_tool("list_runs", {}) for _ in range(13)]

    found = talk(ada.tools, often)
    assert not found[0].is_error and found[-1].is_error
    (told,) = found[-1].structured_content["problems"]
    assert told["problem"] == "this token has made 12 requests within a minute" and "wait" in told["remedy"]
    assert ada.rest.get("/api/v1/runs/").status_code == 429  # one count for both doors


def test_a_console_without_a_person_reads_and_acts_and_decides_nothing(settings: Settings) -> None:
    settings.ZEN_MCP_TOKEN = ""
    console = in_process()
    answer(console, "start_saga", definition=SAGA, workflow_id="o-1", engine="celery")
    assert answer(console, "hold_run", workflow_id="o-1")["hold_reason"] is not None
    row = AuditEvent.objects.get(action="run.hold")
    assert row.door == "mcp"
    (told,) = problems(console, "decide_approval", request_id="a-1", decision="approve", seen="x")
    assert "set ZEN_MCP_TOKEN" in told["remedy"]


def test_a_refusal_has_the_shape_that_a_tool_tells_since_clients_check_it(person: Callable[..., Person]) -> None:
    person("operator", "ada")

    async def refused(client: Client) -> dict[str, tuple[Any, Any]]:
        tools = (await client.list_tools()).tools
        calls = {tool.name: await client.call_tool(tool.name, {"nonsense": 1}) for tool in tools}
        return {
            tool.name: (tool.output_schema, getattr(calls[tool.name], "structured_content", None)) for tool in tools
        }

    found = talk(in_process(), refused)
    assert set(found) == {entry.name for entry in ENTRIES}
    for name, (shape, told) in found.items():
        assert told["problems"], name
        jsonschema.Draft202012Validator(shape).validate(told)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(shape).validate({"problems": [{"field": 1}]})
