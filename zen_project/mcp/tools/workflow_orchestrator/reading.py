"""What the orchestrator tells: a run, how it does, all runs."""

from __future__ import annotations

from dataclasses import asdict

from approvals.queries import requests
from orchestration.core.enums import Verb
from orchestration.runs import get_run, preview, queries
from orchestration.runs.waiting_reasons import why
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer
from zen_project.mcp.tools import monitoring, runs
from zen_project.mcp.tools.fields import Nothing, OfRun
from zen_project.mcp.tools.proposing import act_or_propose
from zen_project.mcp.tools.workflow_orchestrator.arguments import Call

MOST_EVENTS, MOST_APPROVALS = 20, 50


def status(caller: Caller, call: Call) -> Answer:
    """The run as `runs show --json` has it; with details why it waits, its approvals and its last events, too."""
    run = get_run(call.workflow_id)
    view = queries.run_view(run)
    if not call.include_details:
        return view
    asked = requests.requests(about=run.workflow_id).defer(*requests.LARGE)[:MOST_APPROVALS]
    last = list(run.events.order_by("-seq")[:MOST_EVENTS])[::-1]
    return view | {
        "why": why(run),
        "approvals": [requests.request_row(one) | {"approval_id": one.request_id} for one in asked],
        "events": [queries.event_view(event) for event in last],
    }


def monitor(caller: Caller, call: Call) -> Answer:
    """How a run does; without one, how the whole site does."""
    if call.workflow_id:
        return monitoring.health(caller, OfRun(workflow_id=call.workflow_id))
    return monitoring.dashboard(caller, Nothing())


def list_workflows(caller: Caller, call: Call) -> Answer:
    """A page of runs, the latest first."""
    kind = call.kind or call.workflow_type or ""
    asked = runs.WhichRuns(status=call.statuses, kind=kind, limit=call.limit, cursor=call.cursor)
    found = runs.list_runs(caller, asked)
    return {"workflows": found["results"], "next_cursor": found["next_cursor"]}


def cancel_workflow(caller: Caller, call: Call) -> Answer:
    """Abort the run: the run after it, and what the abort undoes, as `preview`. An agent proposes it."""
    told = asdict(preview(workflow_id=call.workflow_id, verb=Verb.ABORT, actor=caller.actor))
    found = act_or_propose(caller, call.workflow_id, Verb.ABORT, note=call.feedback)
    if "proposed" in found:
        return found
    return queries.run_view(get_run(call.workflow_id)) | {"preview": told}
