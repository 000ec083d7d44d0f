"""The protocol's methods on tasks, and starts that answer one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import HEADER_MISMATCH, CallToolRequestParams, CallToolResult, RequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from approvals.models import Request
from approvals.requests import withdraw
from foundation.errors import WrongState
from orchestration.core.enums import RunStatus
from orchestration.models import Run
from orchestration.runs import get_run
from zen_project.mcp.bounds import bounded
from zen_project.mcp.identity import Caller
from zen_project.mcp.protocol import asked
from zen_project.mcp.tasks.inputs import answered, inputs_of
from zen_project.mcp.tasks.states import answer_of, detailed, run_of, task_of
from zen_project.mcp.tools import ENTRIES

TASKS = "io.modelcontextprotocol/tasks"
MOST_RESPONSES = 100
STARTS: dict[str, Mapping[str, Any]] = {
    "start_saga": {}, "start_project": {}, "workflow_orchestrator": {"operation": "start_workflow"},
}  # fmt: skip
"""Tools whose answer can be a task, and the arguments with which they start something."""

Context = ServerRequestContext[Any, Any]


class OfTask(RequestParams):
    """The task meant."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    task_id: str = Field(min_length=1, max_length=300)


class Update(OfTask):
    """Answers to what a task has asked, by key."""

    input_responses: dict[str, Any] = Field(max_length=MOST_RESPONSES)


class RunTasks(Extension):
    """Tasks that are runs."""

    identifier = TASKS

    def methods(self) -> list[MethodBinding]:
        """What a client that declares the extension may ask."""
        versions = frozenset(MODERN_PROTOCOL_VERSIONS)
        return [
            MethodBinding("tasks/get", OfTask, get, versions),
            MethodBinding("tasks/update", Update, update, versions),
            MethodBinding("tasks/cancel", OfTask, cancel, versions),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Context, call_next: CallNext
    ) -> HandlerResult:
        """A start's answer, as a task if the client can follow one and the run has not ended."""
        result = await call_next(ctx)
        given = params.arguments or {}
        starts = STARTS.get(params.name)
        if starts is None or any(given.get(key) != word for key, word in starts.items()) or not follows(ctx):
            return result
        if not isinstance(result, CallToolResult) or result.is_error:
            return result
        workflow_id = (result.structured_content or {}).get("workflow_id")
        task = await asked(partial(_made, ctx, str(workflow_id)))
        return result if task is None else {"resultType": "task", **task}


def follows(ctx: Context) -> bool:
    """Whether the client of this request has declared that it follows tasks."""
    client = ctx.session.client_capabilities
    declared = client.extensions if client is not None else None
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and TASKS in (declared or {})


async def get(ctx: Context, params: OfTask) -> HandlerResult:
    """`tasks/get`."""
    _check(ctx, params)

    def found(caller: Caller) -> dict[str, Any]:
        run = run_of(params.task_id)
        return detailed(caller, run, inputs_of(caller, run, ctx.session.client_capabilities))

    return await asked(found)


async def update(ctx: Context, params: Update) -> HandlerResult:
    """`tasks/update`: decisions, given in answer to what the task asked."""
    _check(ctx, params)

    def taken(caller: Caller) -> dict[str, Any]:
        run = run_of(params.task_id)
        answered(caller, inputs_of(caller, run, ctx.session.client_capabilities), params.input_responses)
        return {}

    return await asked(taken)


async def cancel(ctx: Context, params: OfTask) -> HandlerResult:
    """`tasks/cancel`: the tool `abort_run`; a run that has ended, or is being undone, stays as it is."""
    _check(ctx, params)

    def aborted(caller: Caller) -> dict[str, Any]:
        run = run_of(params.task_id)
        if not RunStatus(run.status).is_end:
            _abort(caller, run)
        return {}

    return await asked(aborted)


def _abort(caller: Caller, run: Run) -> None:
    why = "the client cancelled its task"
    with suppress(WrongState):  # it ended meanwhile, or is being undone
        if (request := Request.objects.filter(run=run).first()) is not None:
            withdraw(request_id=request.request_id, actor=caller.actor, note=why)
        else:
            ABORT.do(caller, ABORT.arguments.read({"workflow_id": run.workflow_id, "note": why}))


def _made(ctx: Context, workflow_id: str, caller: Caller) -> dict[str, Any] | None:
    run = get_run(workflow_id)
    if RunStatus(run.status).is_end:
        return None
    inputs = inputs_of(caller, run, ctx.session.client_capabilities)
    return task_of(run, inputs, bounded(answer_of(run, caller)))


def _check(ctx: Context, params: OfTask) -> None:
    """Only for clients that have declared the extension; a header for routers must say what the body says."""
    require_client_extension(ctx, TASKS)
    headers = getattr(ctx.request, "headers", None)
    name = headers.get(MCP_NAME_HEADER) if headers is not None else None
    if name is not None and decode_header_value(name) != params.task_id:
        raise MCPError(HEADER_MISMATCH, f"the header {MCP_NAME_HEADER} is not the taskId of the body")


ABORT = next(entry for entry in ENTRIES if entry.name == "abort_run")
