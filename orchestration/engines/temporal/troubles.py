"""What the Temporal server says of runs that cannot go on: a workflow task that fails, a workflow that is gone.

The worker looks every few seconds and notes what it finds on the run (`Run.error`), so that lists and pages show it
without asking the server; `report` asks anew.
"""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

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
    DescribeWorkerDeploymentVersionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from orchestration.clock import now
from orchestration.core.queues import DEFAULT
from orchestration.engines.base import TROUBLE, Report
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.codec import Unreadable
from orchestration.engines.temporal.dto import queue_of
from orchestration.engines.temporal.ended import ENDED_ALONE, TAKE_UP
from orchestration.errors import Unreachable
from orchestration.models import Run
from orchestration.plans import plan_of
from orchestration.selectors import iso
from orchestration.workers import START_ONE, how_to_serve, version_in_words, versions_serving

log = logging.getLogger(__name__)

SOON = timedelta(seconds=2)
UNTAKEN = timedelta(seconds=15)
"""A task that has been ready for so long has no worker: one that died with it in its own queue is waited for 10 s."""

PINNED, CURRENT, MOVING = "to which it is pinned", "which is current", "to which it is being moved"
VERSION = "TemporalWorkerDeploymentVersion"
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
    queues = {step.step_id: step.queue for step in plan_of(run).steps.values()}
    found = connection.call(_report(run.workflow_id, _Site(queues, versions_serving())), seconds=seconds)
    if found.trouble == OF_AN_END and Run.objects.filter(pk=run.pk, finished_at=None).first() is None:
        return Report()  # both have ended since the run was read
    return found


class _Site(NamedTuple):
    """`queues`: of the run's steps. `serving`: (queue, version) of the living workers, see `versions_serving`."""

    queues: Mapping[str, str]
    serving: Set[tuple[str, str | None]]


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
        return [one.id async for one in client.list_workflows(query, limit=MOST_AT_ONCE, rpc_timeout=SOON)]
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return []
        raise


async def _report(workflow_id: str, site: _Site) -> Report:
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
    return Report(trouble=trouble or await _untaken(client, raw, site), retries=_retries(raw))


async def _untaken(client: Client, raw: DescribeWorkflowExecutionResponse, site: _Site) -> str:
    """That no worker takes up the run's next step, and which worker could; '' while that is new or taken up."""
    since = _task_waits_since(raw)
    if since:
        version, why = await _wanted(client, raw)
        return _no_worker(version, why, DEFAULT, since)
    for queue, since in _activities_wait_since(raw, site.queues).items():
        version, why = await _wanted(client, raw)
        if not _may_be_busy(version, queue, site.serving) and await _is_for(client, version, queue):
            return _no_worker(version, why, queue, since)
    return ""


def _may_be_busy(version: WorkerDeploymentVersion, queue: str, serving: Set[tuple[str, str | None]]) -> bool:
    """Whether a worker that could take it lives: its slots are taken then. A queue that nobody serves at all is told of
    elsewhere (`words_on_queue`).
    """
    if not version.deployment_name and queue != DEFAULT and queue not in {name for name, _ in serving}:
        return True
    return not serving.isdisjoint([(queue, None), (queue, _name_of_version(version))])


def _name_of_version(version: WorkerDeploymentVersion) -> str:
    return f"{version.deployment_name}:{version.build_id}" if version.deployment_name else ""


def _task_waits_since(raw: DescribeWorkflowExecutionResponse) -> datetime | None:
    task, ready = raw.pending_workflow_task, PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    since = task.scheduled_time.ToDatetime(UTC)
    return since if raw.HasField("pending_workflow_task") and task.state == ready and _is_late(since) else None


def _activities_wait_since(raw: DescribeWorkflowExecutionResponse, queues: Mapping[str, str]) -> dict[str, datetime]:
    """{queue: since when the oldest of its activities is ready, and no worker has it}."""
    found: dict[str, datetime] = {}
    for one in raw.pending_activities:
        since = max(one.scheduled_time.ToDatetime(UTC), one.next_attempt_schedule_time.ToDatetime(UTC))
        if one.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and _is_late(since):
            name = _name_of(one)
            queue = queues.get(name[0], DEFAULT) if name else DEFAULT
            found[queue] = min(since, found.get(queue, since))
    return found


def _is_late(since: datetime) -> bool:
    return now() - since >= UNTAKEN


def _no_worker(version: WorkerDeploymentVersion, why: str, queue: str, since: datetime) -> str:
    whose, other = "", ""
    if version.deployment_name:
        whose = f" of {version_in_words(_name_of_version(version))}, {why},"
        other = ", or make another version current (docs/upgrading.md)" if why == CURRENT else ""
    said = f"no worker{whose} has taken up its next step since {iso(since)}"
    return f"{said}; {START_ONE}{to_start(version, queue)}{other}"


def to_start(version: WorkerDeploymentVersion, queue: str = DEFAULT) -> str:
    """The command that starts a worker of this version. Its names are what some worker said, so they are quoted."""
    start = how_to_serve("temporal", queue)
    if not version.deployment_name:
        return start
    deployment, build = shlex.quote(version.deployment_name), shlex.quote(version.build_id)
    return f"TEMPORAL_DEPLOYMENT={deployment} TEMPORAL_BUILD_ID={build} {start}"


async def _wanted(client: Client, raw: DescribeWorkflowExecutionResponse) -> tuple[WorkerDeploymentVersion, str]:
    """The version whose workers get what is next, and why; an empty one for workers without a deployment."""
    about = raw.workflow_execution_info.versioning_info
    if about.HasField("version_transition"):
        return about.version_transition.deployment_version, MOVING
    if about.versioning_override.HasField("pinned"):
        return about.versioning_override.pinned.version, PINNED
    if about.behavior == VersioningBehavior.VERSIONING_BEHAVIOR_PINNED and not about.versioning_override.auto_upgrade:
        return about.deployment_version, PINNED
    return await _current(client), CURRENT


async def _is_for(client: Client, version: WorkerDeploymentVersion, queue: str) -> bool:
    """Whether workers of the version have served the queue: otherwise its activities go to anybody who does."""
    if queue == DEFAULT or not version.deployment_name:
        return True
    asked = DescribeWorkerDeploymentVersionRequest(namespace=client.namespace, deployment_version=version)
    try:
        answer = await client.workflow_service.describe_worker_deployment_version(asked, timeout=SOON)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # drained, and taken out of the deployment
            return False
        raise
    served = {one.name for one in answer.worker_deployment_version_info.task_queue_infos}
    return queue_of(settings.TEMPORAL_TASK_QUEUE, queue) in served


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
