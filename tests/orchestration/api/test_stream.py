"""A run's events as they happen: from the first or from the last seen, to the end of the run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncClient

from tests.orchestration.api.test_runs import SAGA, client_of, post

pytestmark = pytest.mark.django_db(transaction=True)
STREAM = "/api/v1/runs/s-1/events/stream"
Parts = AsyncIterator[dict[str, str]]


def headers_of(client: Any) -> dict[str, str]:
    return {"Authorization": client.defaults["HTTP_AUTHORIZATION"]}


async def listen(headers: dict[str, str], query: str = "") -> tuple[Any, Parts]:
    answer: Any = await AsyncClient().get(STREAM + query, headers=headers)
    return answer, _parts(answer.streaming_content)


async def _parts(chunks: Any) -> Parts:
    async for chunk in chunks:
        lines = chunk.decode().strip().splitlines()
        yield dict(line.split(": ", 1) for line in lines)


async def first(parts: Parts, kind: str) -> list[dict[str, str]]:
    """What comes up to the first of this kind."""
    seen: list[dict[str, str]] = []
    async with asyncio.timeout(20):
        async for part in parts:
            seen.append(part)
            if part.get("event") == kind:
                return seen
    raise AssertionError(f"the stream ended without {kind}: {seen}")


@async_to_sync
async def followed(client: Any) -> None:
    headers = headers_of(client)
    answer, parts = await listen(headers)
    assert answer["Content-Type"] == "text/event-stream" and answer["X-Accel-Buffering"] == "no"
    seen = await first(parts, "run.waiting")
    assert seen[0] == {"retry": "2000"}
    numbers = [int(part["id"]) for part in seen[1:]]
    assert numbers == list(range(1, len(numbers) + 1))

    held = await sync_to_async(post)(client, "runs/s-1/hold/", {"note": "look"})
    assert held.status_code == 200
    after = await first(parts, "run.held")
    assert json.loads(after[-1]["data"])["data"], "who held it, and why"

    _, again = await listen({**headers, "Last-Event-ID": str(numbers[-1])})
    assert [part["id"] for part in (await first(again, "run.held"))[1:]] == [part["id"] for part in after]

    stopped = await sync_to_async(post)(client, "runs/s-1/force-stop/", {"note": "over"})
    assert stopped.status_code == 200, stopped.content
    assert (await first(parts, "end"))[-1]["data"] == "{}"
    assert [part async for part in parts] == []


def test_a_stream_follows_a_run_to_its_end() -> None:
    client = client_of("administrator")
    post(client, "runs/", {"definition": SAGA, "workflow_id": "s-1", "engine": "celery"})
    followed(client)


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [("", STREAM, 401), ("nobody", STREAM, 403), ("viewer", "/api/v1/runs/other/events/stream", 404)],
)
def test_a_stream_is_refused_like_a_page(role: str, path: str, status: int) -> None:
    post(client_of("operator"), "runs/", {"definition": SAGA, "workflow_id": "s-1", "engine": "celery"})

    @async_to_sync
    async def asked() -> Any:
        return await AsyncClient().get(path, headers=headers_of(client_of_role) if role else {})

    client_of_role = client_of(role) if role else None
    answer = asked()
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
