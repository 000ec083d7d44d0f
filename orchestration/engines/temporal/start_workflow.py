"""Start the workflow of a saga's run: at first, and again where an ended run goes on from its rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from foundation.clock import now
from foundation.db import statements
from foundation.db.group_commit import in_group_commit
from orchestration.core.saga.codec import EVENT, PLAN
from orchestration.core.saga.events import Event, RunStarted
from orchestration.engines.temporal import connection, seals
from orchestration.engines.temporal.dto import MOST_TAKEN, WORKFLOWS, Start
from orchestration.ledger import store
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run

TASK_TIMEOUT = timedelta(seconds=3)  # how soon a dead worker's workflow task is given to another

_TAKEN = """
UPDATE orchestration_run SET handed_over = %s, execution = CASE WHEN execution = '' THEN %s ELSE execution END
WHERE id = %s
"""


def hand_over(run: Run) -> None:
    """Start the run's first workflow, and note that it is handed over. Raises Unreachable."""
    # Started already: an earlier try of this hand-over got through.
    reuse = WorkflowIDReusePolicy.REJECT_DUPLICATE
    first = start_workflow(run, RunStarted(at=now()), state="", took="", reuse=reuse)
    taken = statements.Statement(_TAKEN, [True, first, run.pk])
    in_group_commit(lambda: statements.run(taken))


def start_workflow(
    run: Run, event: Event, *, state: str, took: str, reuse: WorkflowIDReusePolicy, taken: Iterable[str] = ()
) -> str:
    """The id of the execution; '' when the workflow runs, or has run, already."""
    given = Start(
        workflow_id=run.workflow_id,
        run_pk=run.pk,
        plan=PLAN.dump_json(compiled_plan(run)).decode(),
        event=EVENT.dump_json(event).decode(),
        state=state,
        next_seq=store.next_seq(run),
        took=took,
        history_limit=settings.TEMPORAL_HISTORY_LIMIT,
        taken=_taken_before(run, taken) if state else [],
        rules=run.rules,
        heard=run.heard + 1 if took else 0,
    )

    async def start() -> str:
        client = await connection.client()
        handle = await client.start_workflow(
            WORKFLOWS[run.kind],
            seals.sealed(given),
            id=run.workflow_id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            id_reuse_policy=reuse,
            task_timeout=TASK_TIMEOUT,
            rpc_timeout=timedelta(seconds=4),
        )
        return handle.result_run_id or ""

    try:
        return connection.call(start())
    except WorkflowAlreadyStartedError:
        return ""


def _taken_before(run: Run, by_the_latest: Iterable[str]) -> list[str]:
    """Messages of the workflows that the run had before, noted or not: sent once more, they mean nothing."""
    latest = run.messages.exclude(delivered_at=None).order_by("-id").values_list("message_id", flat=True)
    return [*dict.fromkeys([*[*latest[:MOST_TAKEN]][::-1], *by_the_latest])][-MOST_TAKEN:]
