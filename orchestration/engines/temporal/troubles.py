"""What the Temporal server says of runs that cannot go on: a workflow task that fails, a workflow that is gone.

The worker asks every few seconds and notes what it finds on the run (`Run.error`), so that lists and pages show it
without asking the server; `report` asks anew.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from django.conf import settings
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from foundation.errors import Unreachable
from orchestration.engines.base import TROUBLE, Report
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.executions import ENDED_ALONE, TAKE_UP
from orchestration.engines.temporal.failures import failure_of, remedy_for, retries_of
from orchestration.engines.temporal.untaken_tasks import Site, untaken
from orchestration.ledger.live_workers import versions_serving
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run

log = logging.getLogger(__name__)


VERSION = "TemporalWorkerDeploymentVersion"
MOST_AT_ONCE = 100
_CLOSED = {
    WorkflowExecutionStatus.TERMINATED: "was terminated",
    WorkflowExecutionStatus.CANCELED: "was cancelled",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}


OF_AN_END = f"{ENDED_ALONE}; {TAKE_UP}"


def report(run: Run) -> Report:
    """What the server says of a run now (`engines.base.Engine.report`)."""
    try:
        return _of(run, seconds=3)
    except Unreachable as error:
        return Report(trouble=f"{error.message}; it is asked again each second")
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Report(trouble="the Temporal server has no workflow of this run: was its data lost?")
        return Report(trouble=str(error))


def note_troubles() -> None:
    """Write the troubles that the server reports on their runs, and take away those that are over."""
    found = connection.call(_reported(sorted({version for _, version in versions_serving() if version})))
    noted = Run.objects.filter(engine="temporal", error__startswith=TROUBLE)
    still = Run.objects.filter(engine="temporal", finished_at=None, workflow_id__in=found)
    for run in {run.pk: run for run in (*noted[:MOST_AT_ONCE], *still)}.values():
        trouble = "" if run.finished_at else _of(run).trouble
        text = TROUBLE + trouble if trouble else ""
        if text != run.error:
            log.warning("run %s: %s", run.workflow_id, text or "its engine's trouble is over")
            Run.objects.filter(pk=run.pk).update(error=text)


def _of(run: Run, *, seconds: float = connection.RPC_SECONDS) -> Report:
    queues = {step.step_id: step.queue for step in compiled_plan(run).steps.values()}
    found = connection.call(_report(run.workflow_id, Site(queues, versions_serving())), seconds=seconds)
    if found.trouble == OF_AN_END and Run.objects.filter(pk=run.pk, finished_at=None).first() is None:
        return Report()  # both have ended since the run was read
    return found


async def _reported(living: Sequence[str]) -> list[str]:
    """The workflows of this task queue that the server has noticed, and those of a version that is not `living`. A
    server of before 1.28 notices none.
    """
    client = await connection.client()
    ours = f'TaskQueue = "{settings.TEMPORAL_TASK_QUEUE}"'
    others = f" AND {VERSION} NOT IN ({', '.join(map(json.dumps, living))})" if living else ""
    noticed = await _listed(client, f"{ours} AND TemporalReportedProblems IS NOT NULL")
    return noticed + await _listed(client, f'{ours} AND ExecutionStatus = "Running" AND {VERSION} IS NOT NULL{others}')


async def _listed(client: Client, query: str) -> list[str]:
    try:
        return [one.id async for one in client.list_workflows(query, limit=MOST_AT_ONCE, rpc_timeout=connection.SOON)]
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return []
        raise


async def _report(workflow_id: str, site: Site) -> Report:
    client = await connection.client()
    found = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=connection.SOON)
    raw = found.raw_description
    closed = _CLOSED.get(found.status) if found.status else None
    if found.status is WorkflowExecutionStatus.COMPLETED:
        return Report(trouble=OF_AN_END)
    if closed:
        why = await failure_of(client, workflow_id, "workflow_execution_failed_event_attributes")
        return Report(trouble=f"its workflow {closed} on the Temporal server{why}")
    trouble = ""
    if raw.HasField("pending_workflow_task") and raw.pending_workflow_task.attempt > 1:
        why = await failure_of(client, workflow_id, "workflow_task_failed_event_attributes")
        if why:
            trouble = f"its workflow task fails (try {raw.pending_workflow_task.attempt}){why}; {remedy_for(why)}"
    return Report(trouble=trouble or await untaken(client, raw, site), retries=retries_of(raw))
