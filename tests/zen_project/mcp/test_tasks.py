"""A start is a task for a client that follows tasks: a run, which any process answers for, and people decide in it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult

from approvals.models import Request, Vote
from orchestration.models import Run
from tests.support.mcp_clients import Site, in_process, over_http, refusal, site, talk
from tests.support.mcp_tasks import FollowsTasks, Task, asked, started, until
from tests.support.waiting import wait_until
from tests.system.crash.workers import worker
from tests.zen_project.mcp.conftest import Person

pytestmark = pytest.mark.django_db(transaction=True)


def saga(*actions: dict[str, Any]) -> dict[str, Any]:
    steps = [{"step_id": f"s{n}", "forward_action": action} for n, action in enumerate(actions)]
    return {"saga_id": "order", "steps": steps}


LONG = saga({"type": "wait", "seconds": 600})
GATED = saga(
    {"type": "wait", "seconds": 1}, {"type": "approval", "approvers": ["dora"]}, {"type": "wait", "seconds": 1}
)


async def elicited(context: Any, params: Any) -> Any:
    raise AssertionError("what a task asks is in the task")


def following(**options: Any) -> dict[str, Any]:
    """Options of a client that follows tasks, and can show forms and pages."""
    return {"extensions": [FollowsTasks()], "elicitation_callback": elicited} | options


async def made(client: Client, **given: Any) -> Task:
    found = await started(client, engine="celery", **given)
    assert isinstance(found, Task), found
    return found


def test_a_task_outlives_its_process_and_people_decide_in_it(
    person: Callable[..., Person], process_env: dict[str, str]
) -> None:
    dora, ada = person("approver", "dora"), person("operator", "ada")
    env = process_env | {"ZEN_ENGINE": "celery"}

    async def begin(client: Client) -> None:
        task = await made(client, definition=GATED, workflow_id="g-1")
        assert task.task_id == "run-g-1" and task.status in ("working", "input_required")
        assert not {"result", "error", "inputRequests", "requestState"} & set(task.more)
        assert task.more["ttlMs"] is None and task.more["pollIntervalMs"] > 0
        await made(client, definition=GATED, workflow_id="g-2")
        waiting = await until(client, "run-g-1", "input_required")
        (asks,) = waiting["inputRequests"].values()  # the operator decides nothing here: the page is shown
        assert asks["params"]["mode"] == "url" and "/approvals/" in asks["params"]["url"]
        assert "people are asked" in waiting["statusMessage"]

    async def decide(client: Client) -> None:
        first = await until(client, "run-g-1", "input_required")
        ((key, asks),) = first["inputRequests"].items()
        assert asks["params"]["mode"] == "form" and "declining" not in asks["params"]["message"].lower()
        for nothing in ({}, {"other": {"action": "accept"}}, {key: {"action": "cancel"}}):
            assert (await asked(client, "tasks/update", "run-g-1", input_responses=nothing))["resultType"] == "complete"
        assert (await asked(client, "tasks/get", "run-g-1"))["inputRequests"] == first["inputRequests"]
        yes = {key: {"action": "accept", "content": {"comment": "fine"}}}
        await asked(client, "tasks/update", "run-g-1", input_responses=yes)
        second = await until(client, "run-g-2", "input_required")
        ((key, asks),) = second["inputRequests"].items()
        assert {"approve", "reject"} <= set(asks["params"]["requestedSchema"]["properties"]["decision"]["enum"])
        with pytest.raises(MCPError, match="reject needs a comment here"):
            await asked(client, "tasks/update", "run-g-2", input_responses={key: {"action": "decline"}})
        no = {key: {"action": "accept", "content": {"decision": "reject", "comment": "too soon"}}}
        await asked(client, "tasks/update", "run-g-2", input_responses=no)

    async def end(client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
        return await until(client, "run-g-1", "completed"), await until(client, "run-g-2", "completed", "cancelled")

    with worker(env):
        with site(env) as first:
            talk(over_http(first.url, ada.token, **following()), begin)
            first.process.kill()
        with site(env) as second, site(env) as third:
            talk(over_http(second.url, dora.token, **following()), decide)
            well, badly = talk(over_http(third.url, ada.token, **following()), end)
    assert well["result"]["structuredContent"] == ada.get("runs/g-1/") and not well["result"]["isError"]
    assert badly["result"]["isError"] and badly["result"]["structuredContent"]["cause"] == "rejected"
    votes = Vote.objects.order_by("pk").values_list("choice", "comment", "door", "name")
    assert list(votes) == [("approve", "fine", "mcp", "dora"), ("reject", "too soon", "mcp", "dora")]


def test_two_processes_behind_one_address_lose_no_task_when_one_is_killed(
    person: Callable[..., Person], process_env: dict[str, str]
) -> None:
    ada = person("operator", "ada")
    env = process_env | {"ZEN_ENGINE": "celery"}
    short = saga({"type": "wait", "seconds": 1})
    with site(env, workers=2) as both:
        ids = [f"o-{number}" for number in range(4)]
        for workflow_id in ids:  # a connection each, to whichever process takes it
            begin = partial(made, definition=short, workflow_id=workflow_id)
            talk(over_http(both.url, ada.token, **following()), begin)
        killed = serving(both.process.process.pid)[0]
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: killed not in serving(both.process.process.pid), "the process has ended")
        with worker(env):
            for workflow_id in ids:
                task = talk(over_http(both.url, ada.token, **following()), partial(ended, workflow_id=workflow_id))
                assert task["result"]["structuredContent"] == ada.get(f"runs/{workflow_id}/")


def serving(parent: int) -> list[int]:
    """The processes of a site that answer."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


async def ended(client: Client, workflow_id: str) -> dict[str, Any]:
    return await until(client, f"run-{workflow_id}", "completed")


def test_to_cancel_a_task_aborts_its_run_and_may_be_repeated(person: Callable[..., Person]) -> None:
    person("operator", "ada")

    async def cancelled(client: Client) -> None:
        await made(client, definition=LONG, workflow_id="o-1")
        assert (await asked(client, "tasks/get", "run-o-1"))["status"] == "working"
        for _ in range(2):
            acknowledged = await asked(client, "tasks/cancel", "run-o-1")
            assert acknowledged.keys() <= {"resultType", "_meta"}
        task = await until(client, "run-o-1", "cancelled")
        assert not {"result", "error", "inputRequests"} & set(task)
        again = await started(client, definition=LONG, workflow_id="o-1", engine="celery")
        assert isinstance(again, CallToolResult), "an ended run is no task any more"

    talk(in_process(**following()), cancelled)
    assert Run.objects.get().status == "rolled_back"


def test_who_may_not_act_cancels_nothing(person: Callable[..., Person]) -> None:
    person("operator", "ada")
    talk(in_process(**following()), lambda client: made(client, definition=LONG, workflow_id="o-1"))
    person("viewer", "vera")
    error = refusal(in_process(**following()), lambda client: asked(client, "tasks/cancel", "run-o-1"))
    assert "vera may not act on runs" in error.message and Run.objects.get().finished_at is None


def test_an_agent_proposes_to_cancel_and_is_sent_to_the_page(person: Callable[..., Person]) -> None:
    person("approver", "dora")
    person("operator", "bot", agent=True)

    async def cancelled(client: Client) -> dict[str, Any]:
        await made(client, definition=LONG, workflow_id="o-1")
        for _ in range(2):
            await asked(client, "tasks/cancel", "run-o-1")
        return await asked(client, "tasks/get", "run-o-1")

    assert talk(in_process(**following()), cancelled)["status"] == "working"
    (request,) = Request.objects.all()
    assert request.about == "o-1" and request.stage == "agent-act" and Run.objects.get(workflow_id="o-1").cause == ""


def test_the_one_tool_for_all_starts_tasks_and_nothing_else_of_it_does(person: Callable[..., Person]) -> None:
    person("operator", "ada")
    person("approver", "dora")
    person("administrator", "root")

    async def used(client: Client) -> None:
        spec = {"operation": "start_workflow", "workflow_type": "saga", "workflow_spec": LONG, "workflow_id": "o-1"}
        task = await started(client, "workflow_orchestrator", **spec)
        assert isinstance(task, Task) and task.task_id == "run-o-1"
        status = await started(client, "workflow_orchestrator", operation="status", workflow_id="o-1")
        assert isinstance(status, CallToolResult) and not status.is_error
        gate = {"stage": "deployment", "description": "Ready?", "approvers": ["dora"]}
        asks = {"operation": "start_workflow", "workflow_type": "approval", "workflow_spec": gate, "workflow_id": "a-1"}
        task = await started(client, "workflow_orchestrator", **asks)
        assert isinstance(task, Task) and task.status == "input_required", task
        await asked(client, "tasks/cancel", task.task_id)
        assert (await asked(client, "tasks/get", task.task_id))["status"] == "cancelled"

    talk(in_process(**following()), used)
    assert Request.objects.get().status == "withdrawn" and Run.objects.get(workflow_id="o-1").finished_at is None


def test_only_who_declares_tasks_gets_them(person: Callable[..., Person]) -> None:
    person("operator", "ada")

    async def without(client: Client) -> Any:
        return await started(client, definition=LONG, workflow_id="o-1", engine="celery")

    for mode in ("auto", "legacy"):
        assert isinstance(talk(in_process(mode=mode), without), CallToolResult)
    legacy = talk(in_process(**following(mode="legacy")), without)
    assert isinstance(legacy, CallToolResult) and legacy.structured_content is not None
    assert refusal(in_process(), lambda client: asked(client, "tasks/get", "run-o-1")).code == -32021
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        for task_id in ("run-none", "o-1"):
            error = refusal(in_process(**following()), partial(ask, method=method, task_id=task_id))
            assert error.code == -32602 and "there is no " in error.message


async def ask(client: Client, method: str, task_id: str) -> dict[str, Any]:
    more: dict[str, Any] = {"input_responses": {}} if method == "tasks/update" else {}
    return await asked(client, method, task_id, **more)


def test_what_is_sent_over_http_must_agree_with_itself(
    person: Callable[..., Person], process_env: dict[str, str]
) -> None:
    ada = person("operator", "ada")

    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
    }
    headers = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {ada.token}"}
    headers |= {"MCP-Protocol-Version": "2026-07-28"}

    def refused(served: Site, method: str, params: dict[str, Any], **more: str) -> int:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        told = httpx2.post(f"{served.url}/mcp", json=body, headers=headers | {"Mcp-Method": method} | more).json()
        return int(told["error"]["code"])

    with site(process_env) as served:
        for name, code in (("run-else", -32020), ("run-o-1", -32602)):
            assert refused(served, "tasks/get", {"taskId": "run-o-1", "_meta": meta}, **{"Mcp-Name": name}) == code
        undeclared = meta | {"io.modelcontextprotocol/clientCapabilities": {}}
        listen = {"notifications": {"taskIds": ["run-o-1"]}, "_meta": undeclared}
        assert refused(served, "subscriptions/listen", listen) == -32021
