"""The Temporal engine's door."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from orchestration import ledger
from orchestration.clock import now
from orchestration.core.codec import EVENT, PLAN, STATE
from orchestration.core.events import AbortRequested, Event, RerunRequested, RunStarted
from orchestration.core.guards import refusal
from orchestration.engines.base import Reach
from orchestration.engines.temporal.dto import DELIVER, WORKFLOW, Deliver, Start
from orchestration.errors import Unreachable
from orchestration.models import Message, Run
from orchestration.plans import plan_of

if TYPE_CHECKING:
    from temporalio.common import WorkflowIDReusePolicy

ASK_AGAIN_SECONDS = 2.0
UPDATE_SECONDS = 10.0
TASK_TIMEOUT = timedelta(seconds=3)  # how soon a dead worker's workflow task is given to another


class TemporalEngine:
    name = "temporal"

    def __init__(self) -> None:
        self._asked: tuple[float, str, Reach] | None = None
        self._lock = threading.Lock()

    def reach(self) -> Reach:
        with self._lock:
            address = settings.TEMPORAL_ADDRESS
            if self._asked and self._asked[1] == address and time.monotonic() - self._asked[0] < ASK_AGAIN_SECONDS:
                return self._asked[2]
            answer = _ask()
            self._asked = (time.monotonic(), address, answer)
            return answer

    def begin(self, run: Run) -> None:
        """A workflow is started after the commit, by `take`."""

    def take(self, run: Run) -> None:
        from temporalio.common import WorkflowIDReusePolicy

        _start(run, RunStarted(at=now()), state="", reuse=WorkflowIDReusePolicy.REJECT_DUPLICATE)
        Run.objects.filter(pk=run.pk).update(handed_over=True)

    def deliver(self, message: Message) -> str:
        run = message.run
        event = EVENT.validate_python(message.event)
        why = _update(run, message)
        if why is None:
            why = _revive(run, event)
        Message.objects.filter(pk=message.pk).update(delivered_at=now(), refusal=why)
        return why

    def wake(self) -> None:
        return None


def _ask() -> Reach:
    try:
        from orchestration.engines.temporal import connection
    except ImportError:
        return Reach(ok=False, why="the SDK is missing", remedy="pip install 'zen-orchestration[temporal]'")
    try:
        connection.call(connection.check())
    except Unreachable as error:
        return Reach(ok=False, why=error.message, remedy=error.remedy)
    return Reach(ok=True, why=f"{settings.TEMPORAL_ADDRESS} answers")


def _start(run: Run, event: Event, *, state: str, reuse: WorkflowIDReusePolicy) -> None:
    from temporalio.exceptions import WorkflowAlreadyStartedError

    from orchestration.engines.temporal import connection

    given = Start(
        workflow_id=run.workflow_id,
        run_pk=run.pk,
        plan=PLAN.dump_json(plan_of(run)).decode(),
        event=EVENT.dump_json(event).decode(),
        state=state,
        next_seq=ledger.next_seq(run),
    )

    async def start() -> None:
        client = await connection.client()
        await client.start_workflow(
            WORKFLOW,
            given,
            id=run.workflow_id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            id_reuse_policy=reuse,
            task_timeout=TASK_TIMEOUT,
            rpc_timeout=timedelta(seconds=4),
        )

    try:
        connection.call(start())
    except WorkflowAlreadyStartedError:  # an earlier try of this hand-over got through
        return


def _update(run: Run, message: Message) -> str | None:
    """The run's refusal, '' when it took the event, None when its workflow has ended."""
    from temporalio.client import WorkflowUpdateFailedError
    from temporalio.service import RPCError, RPCStatusCode

    from orchestration.engines.temporal import connection

    async def update() -> None:
        client = await connection.client()
        handle = client.get_workflow_handle(run.workflow_id)
        text = EVENT.dump_json(EVENT.validate_python(message.event)).decode()
        await handle.execute_update(DELIVER, Deliver(event=text), id=message.message_id, result_type=str)

    try:
        connection.call(update(), seconds=UPDATE_SECONDS)
    except WorkflowUpdateFailedError as error:
        return str(error.cause or error)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return ""


def _revive(run: Run, event: Event) -> str:
    """An ended run goes on from its rows: a rerun, or the undo of a finished child."""
    from temporalio.common import WorkflowIDReusePolicy

    run.refresh_from_db()
    state = ledger.load_state(run)
    if not isinstance(event, RerunRequested | AbortRequested):
        return "the run has ended"
    why = refusal(plan_of(run), state, event)
    if not why:
        text = STATE.dump_json(state).decode()
        _start(run, event, state=text, reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    return why
