"""Start the workflow that keeps a run's time, or tell it that the run has changed."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from orchestration.engines.temporal import connection
from orchestration.engines.temporal.dto import DELIVER, KEPT_WORKFLOWS, Deliver, Kept
from orchestration.models import Run

TELL_SECONDS = 10.0


def tend(run: Run) -> None:
    """Start the workflow that keeps a run's time, or tell it that the run has changed. A lost workflow is started anew.

    The run counts as handed over in the version that its workflow was started or told with; if it changed meanwhile,
    the workflow is told again.

    Raises:
        Unreachable: the server is away.
    """
    if run.handed_over and (_told(run) or run.finished_at):
        return
    while True:
        if run.finished_at or not _started(run):  # an earlier start may have got through, its answer lost
            _told(run)
        if Run.objects.filter(pk=run.pk, version=run.version).update(handed_over=True):
            return
        run.refresh_from_db(fields=["version", "finished_at"])


def _started(run: Run) -> bool:
    """False: its workflow runs already."""

    async def start() -> None:
        client = await connection.client()
        await client.start_workflow(
            KEPT_WORKFLOWS[run.kind],
            Kept(run_pk=run.pk, kind=run.kind),
            id=run.workflow_id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            task_timeout=timedelta(seconds=3),
            rpc_timeout=timedelta(seconds=4),
        )

    try:
        connection.call(start())
    except WorkflowAlreadyStartedError:
        return False
    return True


def _told(run: Run) -> bool:
    """False: there is no such workflow, or no more."""

    async def tell() -> None:
        client = await connection.client()
        handle = client.get_workflow_handle(run.workflow_id)
        name = f"wake:{run.pk}:{run.version}"
        await handle.execute_update(DELIVER, Deliver(event=""), id=name, result_type=str)

    try:
        connection.call(tell(), seconds=TELL_SECONDS)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
