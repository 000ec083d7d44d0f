"""What the Temporal server says of runs that cannot go on: a workflow task that fails, a workflow that is gone.

The worker looks every few seconds and notes what it finds on the run (`Run.error`), so that lists and pages show it
without asking the server; `report` asks anew.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Literal

from django.conf import settings
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import (
    EventType,
    PendingActivityState,
    PendingWorkflowTaskState,
    TaskQueueType,
    VersioningBehavior,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from orchestration.clock import now
from orchestration.engines.base import TROUBLE, Report
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.codec import Unreadable
from orchestration.engines.temporal.ended import ENDED_ALONE, TAKE_UP
from orchestration.errors import Unreachable
from orchestration.models import Run
from orchestration.selectors import iso
from orchestration.workers import TO_START

log = logging.getLogger(__name__)

SOON = timedelta(seconds=2)
UNTAKEN = timedelta(seconds=15)
"""A task that has been ready for so long has no worker: one that died with it in its own queue is waited for 10 s."""

MOST_AT_ONCE = 100
DEEPEST_CAUSE = 3
OF_ANOTHER_FLOW = (
    "put the release back that the run was begun with, or install one that knows its flow version (docs/upgrading.md); "
    "it goes on by itself then"
)
_CLOSED = {
    WorkflowExecutionStatus.TERMINATED: "was terminated",
    WorkflowExecutionStatus.CANCELED: "was cancelled",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}


OF_AN_END = f"{ENDED_ALONE}; {TAKE_UP}"

_Failed = Literal["workflow_execution_failed_event_attributes", "workflow_task_failed_event_attributes"]


def report(run: Run) -> Report:
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
    found = connection.call(_reported())
    noted = Run.objects.filter(engine="temporal", error__startswith=TROUBLE)
    still = Run.objects.filter(engine="temporal", finished_at=None, workflow_id__in=found)
    for run in {run.pk: run for run in (*noted[:MOST_AT_ONCE], *still)}.values():
        trouble = "" if run.finished_at else _of(run).trouble
        text = TROUBLE + trouble if trouble else ""
        if text != run.error:
            log.warning("run %s: %s", run.workflow_id, text or "its engine's trouble is over")
            Run.objects.filter(pk=run.pk).update(error=text)


def _of(run: Run, *, seconds: float = connection.RPC_SECONDS) -> Report:
    found = connection.call(_report(run.workflow_id), seconds=seconds)
    if found.trouble == OF_AN_END and Run.objects.filter(pk=run.pk, finished_at=None).first() is None:
        return Report()  # both have ended since the run was read
    return found


async def _reported() -> list[str]:
    """The workflows of this task queue that the server has noticed. A server of before 1.28 notices none."""
    client = await connection.client()
    query = f'TaskQueue = "{settings.TEMPORAL_TASK_QUEUE}" AND TemporalReportedProblems IS NOT NULL'
    try:
        return [one.id async for one in client.list_workflows(query, limit=MOST_AT_ONCE, rpc_timeout=SOON)]
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return []
        raise


async def _report(workflow_id: str) -> Report:
    client = await connection.client()
    found = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=SOON)
    raw = found.raw_description
    closed = _CLOSED.get(found.status) if found.status else None
    if found.status is WorkflowExecutionStatus.COMPLETED:
        return Report(trouble=OF_AN_END)
    if closed:
        why = await _failure(client, workflow_id, "workflow_execution_failed_event_attributes")
        return Report(trouble=f"its workflow {closed} on the Temporal server{why}")
    trouble = ""
    if raw.HasField("pending_workflow_task") and raw.pending_workflow_task.attempt > 1:
        why = await _failure(client, workflow_id, "workflow_task_failed_event_attributes")
        if why:
            trouble = f"its workflow task fails (try {raw.pending_workflow_task.attempt}){why}; {_remedy(why)}"
    elif raw.HasField("pending_workflow_task"):
        trouble = await _untaken(client, raw)
    return Report(trouble=trouble, retries=_retries(raw))


async def _untaken(client: Client, raw: DescribeWorkflowExecutionResponse) -> str:
    """That no worker takes up the workflow's next task, and which worker could; '' while that is new or taken up."""
    task = raw.pending_workflow_task
    since = task.scheduled_time.ToDatetime(UTC)
    if task.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED or now() - since < UNTAKEN:
        return ""
    begun = raw.workflow_execution_info.versioning_info
    pinned = begun.behavior == VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
    version = begun.deployment_version if pinned else await _current(client)
    whose, other = "", ""
    if version.deployment_name:
        build = f"build {version.build_id} of the deployment {version.deployment_name}"
        whose = f" of {build}, {'to which it is pinned' if pinned else 'which is current'},"
        other = "" if pinned else ", or make another version current (docs/upgrading.md)"
    return f"no worker{whose} has taken up its next step since {iso(since)}; start one: {to_start(version)}{other}"


def to_start(version: WorkerDeploymentVersion) -> str:
    """The command that starts a worker of this version. Its names are what some worker said, so they are quoted."""
    if not version.deployment_name:
        return TO_START["temporal"]
    deployment, build = shlex.quote(version.deployment_name), shlex.quote(version.build_id)
    return f"TEMPORAL_DEPLOYMENT={deployment} TEMPORAL_BUILD_ID={build} {TO_START['temporal']}"


async def _current(client: Client) -> WorkerDeploymentVersion:
    """The version that new runs of our task queue go to; an empty one where that is none."""
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=settings.TEMPORAL_TASK_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )  # fmt: skip
    answer = await client.workflow_service.describe_task_queue(asked, timeout=SOON)
    return answer.versioning_info.current_deployment_version


async def _failure(client: Client, workflow_id: str, attributes: _Failed) -> str:
    """What the latest failure in the history says. After a time-out, which is a worker's death, there is none."""
    asked = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id), maximum_page_size=5
    )
    answer = await client.workflow_service.get_workflow_execution_history_reverse(asked, timeout=SOON)
    for event in answer.history.events:
        if event.HasField(attributes):
            try:
                error = await client.data_converter.decode_failure(getattr(event, attributes).failure)
            except Unreadable as unreadable:
                return f": {unreadable}"
            return f": {': '.join(_messages(error))}"
        if event.event_type not in _BETWEEN:
            break
    return ""


_BETWEEN = (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)


def _messages(error: BaseException | None) -> Iterator[str]:
    """Its own, and those of its causes."""
    for _ in range(DEEPEST_CAUSE):
        if error is None:
            return
        yield _first_line(str(getattr(error, "message", error)))
        error = error.__cause__


def _remedy(why: str) -> str:
    if "ZEN_TEMPORAL_CODEC_KEYS" in why:
        return "give the temporal worker that key; the run goes on by itself then"
    if "TMPRL1100" in why or "ondeterminis" in why:
        return OF_ANOTHER_FLOW
    return "it is tried again by itself; the log of the temporal worker says more"


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0][:300]


def _retries(raw: DescribeWorkflowExecutionResponse) -> dict[tuple[str, str, int, int], str]:
    again = [one for one in raw.pending_activities if one.attempt > 1]
    return {name: _words(one) for one in again if (name := _name_of(one)) is not None}


def _name_of(one: PendingActivityInfo) -> tuple[str, str, int, int] | None:
    """As the workflow named it: step:purpose:iteration:attempt."""
    parts = one.activity_id.rsplit(":", 3)
    return (parts[0], parts[1], int(parts[2]), int(parts[3])) if len(parts) == 4 else None


def _words(one: PendingActivityInfo) -> str:
    failure = _first_line(one.last_failure.message)
    after = f" after: {failure}" if failure else ""
    if one.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        return f"its machinery is at try {one.attempt}{after}"
    due = one.next_attempt_schedule_time
    when = f" at {iso(due.ToDatetime(UTC))}" if one.HasField("next_attempt_schedule_time") else ""
    return f"its machinery tries again{when} (try {one.attempt}){after}"
