"""The extension for tasks in the official client, which has none of its own: starts, polls, answers, cancels."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import anyio
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp_types import CallToolResult, Request, RequestParams, Result
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from tests.support.waiting import PATIENCE_SECONDS


class Task(Result):
    """A task as the server tells it, whatever it has besides."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    task_id: str
    status: str
    result_type: Literal["task"] = "task"

    @property
    def more(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Anything(Result):
    """An answer whose shape is not known beforehand."""

    model_config = ConfigDict(extra="allow")


class OfTask(RequestParams):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    task_id: str
    input_responses: dict[str, Any] | None = None


class Ask(Request[OfTask, str]):
    method: str
    params: OfTask
    name_param: ClassVar[str | None] = "taskId"


class FollowsTasks(ClientExtension):
    """What a client declares that can follow tasks."""

    identifier = "io.modelcontextprotocol/tasks"

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Task, resolve=_never)]


async def _never(task: Task, context: ClaimContext) -> CallToolResult:
    raise AssertionError("tests follow their tasks themselves")


async def started(client: Client, name: str = "start_saga", **given: Any) -> Task | CallToolResult:
    """What a start answers: a task, or a result."""
    found = await client.session.call_tool(name, given, allow_claimed=True)
    assert isinstance(found, Task | CallToolResult), found
    return found


async def asked(client: Client, method: str, task_id: str, **more: Any) -> dict[str, Any]:
    """The answer to `tasks/…`."""
    request = Ask(method=method, params=OfTask(task_id=task_id, **more))
    found = await client.session.send_request(request, Anything)
    return found.model_dump(by_alias=True, mode="json", exclude_none=True)


async def until(client: Client, task_id: str, *statuses: str) -> dict[str, Any]:
    """The task once it has one of these."""
    with anyio.fail_after(PATIENCE_SECONDS):
        while (task := await asked(client, "tasks/get", task_id))["status"] not in statuses:
            await anyio.sleep(0.2)
    return task
