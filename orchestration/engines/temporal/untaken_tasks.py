"""That no worker takes up a run's next step: for which version, on which queue, and how to start one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import (
    PendingActivityState,
    PendingWorkflowTaskState,
    TaskQueueType,
    VersioningBehavior,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentVersionRequest,
    DescribeWorkflowExecutionResponse,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from foundation.clock import iso, now
from orchestration.core.queues import DEFAULT
from orchestration.engines.temporal.connection import SOON
from orchestration.engines.temporal.dto import queue_of
from orchestration.engines.temporal.failures import _name_of
from orchestration.ledger.live_workers import START_ONE, how_to_serve, version_in_words

UNTAKEN = timedelta(seconds=15)
"""A task that has been ready for so long has no worker: one that died with it in its own queue is waited for 10 s."""

PINNED, CURRENT, MOVING = "to which it is pinned", "which is current", "to which it is being moved"


class Site(NamedTuple):
    """`queues`: of the run's steps. `serving`: (queue, version) of the living workers, see `versions_serving`."""

    queues: Mapping[str, str]
    serving: Set[tuple[str, str | None]]


async def untaken(client: Client, raw: DescribeWorkflowExecutionResponse, site: Site) -> str:
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
    """Whether a worker that could take it is alive: then its slots are taken.

    A queue without any worker is reported elsewhere (`words_on_queue`).
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
        other = ", or make another version current (docs/howto/upgrading.md)" if why == CURRENT else ""
    said = f"no worker{whose} has taken up its next step since {iso(since)}"
    return f"{said}; {START_ONE}{to_start(version, queue)}{other}"


def to_start(version: WorkerDeploymentVersion, queue: str = DEFAULT) -> str:
    """The command that starts a worker of this version, its names quoted for a shell: a worker chose them."""
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
