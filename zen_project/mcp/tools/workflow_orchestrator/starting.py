"""Start a workflow of any of the three types."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from approvals.requests.messages.links import page_of
from orchestration.models import Run
from orchestration.projects.start import start_project
from orchestration.runs import get_run, start_run
from orchestration.runs.definitions import published_body
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer
from zen_project.mcp.tools import approvals
from zen_project.mcp.tools.workflow_orchestrator.arguments import Call


def start_workflow(caller: Caller, call: Call) -> Answer:
    """The run that was started, or was there already: `started` says which."""
    if call.workflow_type == "approval":
        return _approval(caller, call)
    run, is_new = _project(caller, call) if call.workflow_type == "multi_agent_project" else _saga(caller, call)
    return _answer(get_run(run.workflow_id), is_new)


def again(caller: Caller, had: Answer) -> Answer:
    """The answer to a start, as its run is now."""
    return had | {"status": get_run(had["workflow_id"]).status}


def _project(caller: Caller, call: Call) -> tuple[Run, bool]:
    return start_project(spec=call.workflow_spec, config=call.config, actor=caller.actor, workflow_id=call.workflow_id)


def _saga(caller: Caller, call: Call) -> tuple[Run, bool]:
    spec = call.workflow_spec or {}
    by_name = spec.keys() <= {"saga_id", "version"} and isinstance(spec.get("saga_id"), str)
    body: Any = published_body(spec["saga_id"], spec.get("version")) if by_name else spec
    return start_run(
        definition=body, actor=caller.actor, workflow_id=call.workflow_id, context=call.context, config=call.config
    )


def _approval(caller: Caller, call: Call) -> Answer:
    said = {name: value for name in ("stage", "description", "context") if (value := getattr(call, name))}
    given = {**(call.config or {}), **(call.workflow_spec or {}), **said}
    if call.workflow_id:
        given["request_id"] = call.workflow_id
    request, is_new = approvals.asked(caller, approvals.Asked.read(given))
    both = {"request_id": request.request_id, "approval_id": request.request_id}
    return _answer(get_run(request.request_id), is_new) | both | {"url": page_of(request)}


def _answer(run: Run, is_new: bool) -> Answer:
    return {
        "workflow_id": run.workflow_id,
        "kind": run.kind,
        "engine": run.engine,
        "status": run.status,
        "started": is_new,
        "url": settings.ZEN_PUBLIC_URL + reverse("admin:orchestration_run_change", args=[run.pk]),
    }
