"""The log of a run by REST: pages, and as it comes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncClient

from foundation.clock import now
from orchestration.models import Run, RunLine
from tests.orchestration.api.test_runs import SAGA, client_of, post
from tests.orchestration.api.test_stream import _parts, first, headers_of

pytestmark = pytest.mark.django_db(transaction=True)
LOGS = "/api/v1/runs/l-1/logs/"


def begun(role: str = "administrator") -> Any:
    client = client_of(role)
    assert post(client, "runs/", {"definition": SAGA, "workflow_id": "l-1", "engine": "celery"}).status_code == 201
    return client


def logged(*texts: str, step: str = "first", level: int = 20, ago: float = 0.0) -> None:
    run = Run.objects.get(workflow_id="l-1")
    for text in texts:
        n = run.lines.filter(step_id=step).count() + 1
        at = now() - timedelta(seconds=ago)
        RunLine.objects.create(run=run, step_id=step, n=n, at=at, level=level, logger="shop", text=text)


def test_pages_are_joined_by_their_addresses_and_late_lines_come_once() -> None:
    client = begun()
    logged(*(f"line {n}" for n in range(5)), step="first")
    seen: list[dict[str, Any]] = []
    address: str | None = f"{LOGS}?limit=2&step_id=first"
    while address:
        page = client.get(address).json()
        seen += page["results"]
        address = page["next"]
        if len(seen) == 4:
            logged("late", ago=30)
    texts = [entry["message"] for entry in seen if entry["source"] == "line"]
    assert texts == ["line 0", "line 1", "line 2", "line 3", "line 4", "late"]
    assert client.get(f"{LOGS}?after={seen[-1]['seq']}&step_id=first").json() == {"next": None, "results": []}


@pytest.mark.parametrize(
    ("query", "field"),
    [("level=loud", "level"), ("after=x", "after"), ("limit=0", "limit"), ("limit=1001", "limit"), ("page=2", "page")],
)
def test_a_wrong_question_is_refused_by_its_field(query: str, field: str) -> None:
    answer = begun().get(f"{LOGS}?{query}")
    assert answer.status_code == 422 and answer.json()["field"] == field, answer.content


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}stream"])
def test_who_may_not_look_at_runs_sees_no_log(path: str) -> None:
    begun()

    @async_to_sync
    async def asked(client: Any, path: str) -> int:
        answer = await AsyncClient().get(path, headers=headers_of(client) if client else {})
        return int(answer.status_code)

    assert asked(None, path) == 401
    assert asked(client_of("nobody"), path) == 403
    assert asked(client_of("viewer"), path.replace("l-1", "other")) == 404


@async_to_sync
async def followed(client: Any) -> None:
    headers = headers_of(client)
    answer: Any = await AsyncClient().get(f"{LOGS}stream", headers=headers)
    parts = _parts(answer.streaming_content)
    seen = await first_line(parts, "begun")
    assert all(part["event"] == "log" for part in seen)
    await sync_to_async(logged)("behind its time", ago=60)
    late = await first_line(parts, "behind its time")
    assert json.loads(late[-1]["data"])["seq"] == late[-1]["id"]

    again: Any = await AsyncClient().get(f"{LOGS}stream", headers={**headers, "Last-Event-ID": seen[-1]["id"]})
    rest = await first_line(_parts(again.streaming_content), "behind its time")
    assert [part["id"] for part in rest] == [part["id"] for part in late]

    assert (await sync_to_async(post)(client, "runs/l-1/force-stop/", {"note": "over"})).status_code == 200
    await sync_to_async(logged)("last words")
    end = await first(parts, "end")
    assert "last words" in [json.loads(part["data"]).get("message") for part in end]


async def first_line(parts: Any, message: str) -> list[dict[str, str]]:
    seen = []
    async for part in parts:
        if "data" in part:
            seen.append(part)
            if json.loads(part["data"])["message"] == message:
                return seen
    raise AssertionError(f"the stream ended without {message}")


def test_a_stream_follows_the_log_to_the_end_of_the_run() -> None:
    client = begun()
    logged("begun")
    followed(client)


def test_a_stream_from_no_cursor_is_refused() -> None:
    headers = headers_of(begun())

    @async_to_sync
    async def asked() -> Any:
        return await AsyncClient().get(f"{LOGS}stream?after=x", headers=headers)

    answer = asked()
    assert answer.status_code == 422 and answer.json()["field"] == "after"
