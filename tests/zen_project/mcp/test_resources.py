"""Resources are what the tools answer, at addresses of their own; who may not look finds none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from pytest_django import Settings

from orchestration.models import Run
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.core.project.specs import given
from tests.support.mcp_clients import Target, answer, refusal, talk
from tests.zen_project.mcp.conftest import Person
from zen_project.mcp.resources import listing
from zen_project.mcp.resources.uris import Place, place_at, uri_of

pytestmark = pytest.mark.django_db(transaction=True)
SAGA: dict[str, Any] = {
    "saga_id": "order",
    "steps": [{"step_id": "first", "forward_action": {"type": "wait", "seconds": 600}}],
}


@pytest.fixture
def ada(person: Callable[..., Person], settings: Settings, tmp_path: Path) -> Person:
    """An operator, with a run of a published saga, a request about it, and a project."""
    settings.ZEN_DATA_DIR = tmp_path
    person("approver", "dora")
    ada = person("operator", "ada")
    ada.rest.post("/api/v1/definitions/", json.dumps(SAGA), content_type="application/json")
    answer(ada.tools, "start_saga", saga_id="order", workflow_id="o:1", engine="celery")
    asked = {"stage": "deployment", "description": "Ready?", "approvers": ["dora"], "request_id": "a-1"}
    answer(ada.tools, "request_approval", workflow_id="o:1", engine="celery", **asked)
    added("claude", agent_type="CLAUDE", concurrency=2)
    answer(ada.tools, "start_project", spec=given(), workflow_id="p-1", engine="celery")
    return ada


def read(target: Target, uri: str) -> Any:
    async def one(client: Client) -> Any:
        (found,) = (await client.read_resource(uri)).contents
        assert found.uri == uri and found.mime_type == "application/json"
        return json.loads(found.text)  # type: ignore[union-attr]

    return talk(target, one)


def unread(target: Target, uri: str) -> MCPError:
    return refusal(target, lambda client: client.read_resource(uri))


async def everything(client: Client) -> list[tuple[str, str]]:
    """All resources, page by page."""
    found, cursor = [], None
    while True:
        page = await client.list_resources(cursor=cursor)
        found += [(one.uri, one.description or "") for one in page.resources]
        if (cursor := page.next_cursor) is None:
            return found


def test_a_resource_is_what_the_tool_and_rest_answer(ada: Person) -> None:
    assert read(ada.tools, "run://o%3A1") == ada.get("runs/o:1/") == read(ada.tools, "run://o:1")
    assert read(ada.tools, "approval://a-1") == answer(ada.tools, "get_approval", request_id="a-1")
    assert read(ada.tools, "definition://order") == ada.get("definitions/order/versions/1/")
    project = read(ada.tools, "project://p-1")
    assert project == ada.get("projects/p-1/") and project["tasks"]
    events = read(ada.tools, "run://o%3A1/events")
    assert events["results"] == ada.get("runs/o:1/events/")["results"] and not events["earlier"]


def test_all_there_is_is_listed_page_by_page_and_the_templates_too(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = talk(ada.tools, everything)
    uris = [uri for uri, _ in whole]
    assert uris[0] == "approval://a-1" and uris[-1] == "definition://order"
    assert {"run://o%3A1", "run://p-1", "project://p-1"} < set(uris)
    status = Run.objects.get(workflow_id="o:1").status
    assert len(uris) == len(set(uris)) and dict(whole)["run://o%3A1"] == f"saga order: {status}"
    for rows in (1, 2, 3):
        monkeypatch.setattr(listing, "ROWS", rows)
        assert talk(ada.tools, everything) == whole

    async def templates(client: Client) -> list[str]:
        return [one.uri_template for one in (await client.list_resource_templates()).resource_templates]

    assert talk(ada.tools, templates) == [
        "run://{workflow_id}", "run://{workflow_id}/events", "approval://{request_id}", "project://{workflow_id}",
        "definition://{saga_id}",
    ]  # fmt: skip


def test_what_is_not_there_is_refused_with_its_words_and_address(ada: Person) -> None:
    for uri, words in (
        ("run://none", "there is no run 'none'"),
        ("approval://none", "there is no approval 'none'"),
        ("project://o%3A1", "the run is a saga, and no project: 'o:1'"),
        ("definition://none", "there is no definition 'none'"),
        ("file:///etc/passwd", "there is no resource 'file:///etc/passwd'"),
        ("run://a/b", "there is no resource 'run://a/b'"),
    ):
        error = unread(ada.tools, uri)
        assert error.code == -32602 and words in error.message, uri
        assert error.data["uri"] == uri and error.data["problems"][0]["problem"].startswith(words)


def test_a_wrong_cursor_is_refused(ada: Person) -> None:
    error = refusal(ada.tools, lambda client: client.list_resources(cursor="7:x"))
    assert error.message.startswith("cursor is none of an answer")


def test_who_has_no_role_reads_and_lists_nothing(ada: Person, person: Callable[..., Person]) -> None:
    nobody = person("", "nobody")
    assert "nobody may not look at anything here" in unread(nobody.tools, "run://o%3A1").message
    assert "nobody may not look at anything here" in refusal(nobody.tools, everything).message


def test_an_address_leads_to_its_place_and_back() -> None:
    for place in (Place("run", "a/b c:%~"), Place("events", "ü"), Place("approval", "a-1"), Place("definition", "x.y")):
        assert place_at(uri_of(place)) == place
    for uri in (
        "run://",
        "approval://a/events",
        "run://a?b",
        "run://a#b",
        "run://%00",
        "RUN://a",
        "run://" + "x" * 1000,
    ):
        assert place_at(uri) is None, uri
