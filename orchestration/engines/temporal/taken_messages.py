"""Which messages the latest workflow of a run has taken, read from its history.

It also finds those that no process has noted in the rows.
"""

from __future__ import annotations

from temporalio.service import RPCError, RPCStatusCode

from orchestration.engines.temporal import connection, seals
from orchestration.engines.temporal.dto import Start, Taken
from orchestration.models import Run

READ_SECONDS = 10.0


def taken_by_the_latest(run: Run) -> dict[str, Taken]:
    """{message id: which execution took it}, in their order; nothing of a workflow that this site did not start.

    A history that is past its retention has taken nothing: the rows are what is left.

    Raises:
        Unreachable: the server is away.
    """
    try:
        return connection.call(_read(run), seconds=READ_SECONDS)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return {}
        raise


async def _read(run: Run) -> dict[str, Taken]:
    client = await connection.client()
    found: dict[str, Taken] = {}
    execution, heard = "", 0
    async for event in client.get_workflow_handle(run.workflow_id).fetch_history_events():
        if event.HasField("workflow_execution_started_event_attributes"):
            begun = event.workflow_execution_started_event_attributes
            (start,) = await client.data_converter.decode(begun.input.payloads, [Start])
            if not seals.is_our_start(start) and (start.seal or seals.is_sealed(run.rules)):
                return {}
            execution, heard = begun.original_execution_run_id, start.heard
            earlier = [*start.taken, *([start.took] if start.took else [])]
            found |= dict.fromkeys(earlier, Taken(execution=execution, heard=heard))
        elif event.HasField("workflow_execution_update_completed_event_attributes"):
            ended = event.workflow_execution_update_completed_event_attributes
            if not ended.outcome.HasField("success"):
                continue
            message = ended.meta.update_id
            if seals.is_sealed(run.rules):
                (text,) = await client.data_converter.decode(ended.outcome.success.payloads, [str])
                taken = seals.who_took(run.workflow_id, message, text)
            else:
                heard += 1
                taken = Taken(execution=execution, heard=heard)
            if taken is not None:
                found[message] = taken
    return found
