"""Start the workflow that keeps a run's time, or tell it that the run has changed."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from orchestration.engines.temporal.dto import DELIVER, KEPT_WORKFLOWS, Deliver, Kept
from orchestration.models import Run

TELL_SECONDS = 10.0


def tend(run: Run) -> None:
    """Raises Unreachable. A workflow that was lost is started anew: what it has to know is in the rows."""
    if run.handed_over and _told(run):
        return
    if not run.finished_at:
        _start(run)
    Run.objects.filter(pk=run.pk, handed_over=False).update(handed_over=True)


def _start(run: Run) -> None:
    from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

    from orchestration.engines.temporal import connection

    async def start() -> None:
        client = await connection.client()
        await client.start_workflow(
            KEPT_WORKFLOWS[run.kind],
            Kept(run_pk=run.pk, kind=run.kind),
            id=run.workflow_id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            task_timeout=timedelta(seconds=3),
            rpc_timeout=timedelta(seconds=4),
        )

    connection.call(start())


def _told(run: Run) -> bool:
    """False: there is no such workflow, or no more."""
    from temporalio.service import RPCError, RPCStatusCode

    from orchestration.engines.temporal import connection

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
        raise connection.away(str(error)) from None
    return True
