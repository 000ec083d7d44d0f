"""What agents say is seen while they say it: over REST as a stream, and by `project logs --follow`."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import uuid
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.management import call_command
from django.db import connection
from django.test import AsyncClient

from foundation.errors import BadInput
from orchestration.console import log
from orchestration.core.enums import Verb
from orchestration.models import AgentAttempt, Run
from orchestration.projects.start import start_project
from orchestration.runs import act
from tests.orchestration.api.test_runs import client_of
from tests.orchestration.api.test_stream import _parts, headers_of
from tests.orchestration.core.project.specs import given, task
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.sagas import ADA

SAID = "I am the scripted agent, a program and not a model. Behaviour: hangs."


def hanging() -> Run:
    """A project whose first agent says a word and goes on without another, and whose second one ends."""
    tasks = [task("t1", "R1", prompt="A cart\nscripted: hangs"), task("t2", "R2", prompt="A till\nscripted: write")]
    handle = f"shop-{uuid.uuid4().hex[:8]}"
    return start_project(spec=given(tasks=tasks), actor=ADA, workflow_id=handle, engine=ENGINE)[0]


ENGINE = "memory"


@pytest.fixture(autouse=True)
def hosted(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ENGINE", engine)


def is_at_work(run: Run) -> bool:
    row = AgentAttempt.objects.filter(run__parent=run, step_id="t1").first()
    return row is not None and row.ended == "" and row.ended_at is None


def test_the_console_shows_an_agents_line_while_it_works_and_ends_with_the_project() -> None:
    run, pipe = hanging(), io.StringIO()

    def follow() -> None:
        try:
            call_command("project", "logs", run.workflow_id, "--follow", stdout=pipe)
        finally:
            connection.close()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        wait_until(lambda: SAID in pipe.getvalue(), "its word is shown")
        assert is_at_work(run), "it is shown before the attempt is over"
    finally:
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "it ends with the project"
    lines = pipe.getvalue().splitlines()
    assert [line.split()[1:3] for line in lines if SAID in line] == [["INFO", "t1#1"]], "each line comes once"
    entries = list(log.project_entries(run, step="", level="", follow=False, limit=1000))
    assert len(entries) == len(lines)
    (word,) = [one for one in entries if one["message"] == SAID]
    assert (word["run"], word["step_id"], word["source"]) == (f"{run.workflow_id}.build.1", "t1", "line")
    assert {one["run"] for one in entries} == {run.workflow_id, f"{run.workflow_id}.build.1"}
    only = list(log.project_entries(run, step="t1", level="warning", follow=False, limit=1000))
    assert only and {one["step_id"] for one in only} == {"t1"} and "INFO" not in {one["level"] for one in only}
    with pytest.raises(BadInput, match="has no step 't9'"):
        list(log.project_entries(run, step="t9", level="", follow=False, limit=1000))


@async_to_sync
async def streamed(run: Run, client: Any) -> None:
    headers, where = headers_of(client), f"/api/v1/projects/{run.workflow_id}/output/"
    answer: Any = await AsyncClient().get(where, headers=headers)
    assert answer["Content-Type"] == "text/event-stream"
    parts, seen = _parts(answer.streaming_content), []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for part in parts:
            if part.get("event") == "line":
                seen.append(json.loads(part["data"]))
                assert part["id"] == str(seen[-1]["seq"])
            if {(one["task_id"], one["message"]) for one in seen} >= {("t1", SAID), ("t2", "verdict: done")}:
                break
    assert await sync_to_async(is_at_work)(run)
    assert {(one["task_id"], one["agent_type"], one["endpoint"]) for one in seen} == {
        ("t1", "CLAUDE", "claude"), ("t2", "CLAUDE", "claude"),
    }  # fmt: skip
    first = seen[0]["seq"]
    again: Any = await AsyncClient().get(where, headers={**headers, "Last-Event-ID": str(first)})
    rest = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for part in _parts(again.streaming_content):
            if part.get("event") == "line":
                rest.append(json.loads(part["data"])["seq"])
            if len(rest) == len(seen) - 1:
                break
    assert rest == [one["seq"] for one in seen[1:]], "it goes on behind what was seen"
    await sync_to_async(act)(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [part async for part in parts][-1]["event"] == "end"


def test_a_stream_has_the_lines_of_all_agents_while_they_work_and_goes_on_where_it_was() -> None:
    client = client_of("viewer")
    streamed(hanging(), client)


@pytest.mark.parametrize(
    ("role", "where", "status"),
    [("", "{}/output/", 401), ("nobody", "{}/output/", 403), ("viewer", "{}/output/?after=x", 422),
     ("viewer", "{}.build/output/", 404), ("viewer", "{}/output/?last=3", 422)],
)  # fmt: skip
def test_it_is_refused_like_a_page(role: str, where: str, status: int) -> None:
    run = start_project(spec=given(), actor=ADA, workflow_id=f"shop-{uuid.uuid4().hex[:8]}", engine=ENGINE)[0]
    headers = headers_of(client_of(role)) if role else {}

    @async_to_sync
    async def asked() -> Any:
        return await AsyncClient().get(f"/api/v1/projects/{where.format(run.workflow_id)}", headers=headers)

    answer = asked()
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json"
