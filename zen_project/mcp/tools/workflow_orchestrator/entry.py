"""The orchestrator's line among the tools."""

from __future__ import annotations

from collections.abc import Callable

from approvals.api.serializers import RequestRow
from monitoring.api.serializers import Dashboard, HealthCheckOut
from orchestration.api.serializers import EventOut, PreviewOut, RunOut, RunRow
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import Schema, answer, either, page
from zen_project.mcp.tools.approvals import APPROVAL
from zen_project.mcp.tools.proposing import PROPOSAL
from zen_project.mcp.tools.workflow_orchestrator import approving, reading, starting
from zen_project.mcp.tools.workflow_orchestrator.arguments import Call

DO: dict[str, Callable[[Caller, Call], Answer]] = {
    "start_workflow": starting.start_workflow,
    "status": reading.status,
    "approval": approving.approval,
    "monitor": reading.monitor,
    "list_workflows": reading.list_workflows,
    "cancel_workflow": reading.cancel_workflow,
}


def workflow_orchestrator(caller: Caller, call: Call) -> Answer:
    """Start, watch, approve and cancel workflows: sagas, multi-agent projects and approvals.

    start_workflow (workflow_type, workflow_spec) answers workflow_id and url; status tells how far it is and, with
    include_details, what it waits for; approval (action request, approve, reject, list, show) asks people, and decides
    as the person of your token; monitor tells how a run or the site does; list_workflows lists; cancel_workflow stops a
    workflow and undoes what it did, which an agent only proposes.
    """
    return DO[call.operation](caller, call)


def _text(**more: object) -> Schema:
    return {"type": "string", **more}


STARTED: Schema = {
    "type": "object",
    "properties": {
        "workflow_id": _text(), "kind": _text(), "engine": _text(), "status": _text(),
        "started": {"type": "boolean", "description": "false: it was there already"},
        "url": _text(description="where people see it"),
        "request_id": _text(description="of an approval"), "approval_id": _text(description="the same"),
    },
    "required": ["workflow_id", "kind", "engine", "status", "started", "url"],
}  # fmt: skip


def _run() -> Schema:
    """A run as `runs show --json` has it: without what the caller may do, which get_run tells."""
    lists = {"why": {"type": "array", "items": _text()}}
    rows = {"approvals": page(RequestRow), "events": page(EventOut)}
    more = lists | {name: shape["properties"]["results"] for name, shape in rows.items()}
    found = answer(RunOut, preview=answer(PreviewOut), **more)
    found["required"] = [name for name in found["required"] if name != "allowed_actions"]
    step = found["properties"]["steps"]["items"]
    step["required"] = [name for name in step["required"] if name != "allowed_actions"]
    return found


def _named(name: str, shape: Schema) -> Schema:
    """A page whose rows have a name of their own."""
    properties = {name if key == "results" else key: value for key, value in shape["properties"].items()}
    return shape | {"properties": properties, "required": [name, "next_cursor"]}


ENTRY = Entry(
    name="workflow_orchestrator",
    title="Orchestrate workflows",
    arguments=Call,
    answers=either(
        STARTED, _run(), APPROVAL, _named("approvals", page(RequestRow)), _named("workflows", page(RunRow)),
        answer(HealthCheckOut), answer(Dashboard), PROPOSAL,
    ),
    do=workflow_orchestrator,
    destroys=True,
    again=starting.again,
)  # fmt: skip
ENTRIES = (ENTRY,)
