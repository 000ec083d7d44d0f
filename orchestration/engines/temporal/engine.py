"""The Temporal engine's door."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from orchestration import ledger, sql
from orchestration.clock import now
from orchestration.combining import together
from orchestration.core.codec import EVENT, PLAN, STATE
from orchestration.core.events import AbortRequested, Act, Event, RerunRequested, RunStarted
from orchestration.core.guards import refusal
from orchestration.engines.base import Reach, Report
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import DELIVER, MOST_TAKEN, NOT_OURS, OVER, WORKFLOW, Start
from orchestration.errors import Unreachable
from orchestration.flows import kept
from orchestration.models import Message, Run
from orchestration.plans import plan_of

if TYPE_CHECKING:
    from temporalio.common import WorkflowIDReusePolicy

ASK_AGAIN_SECONDS = 2.0
UPDATE_SECONDS = 10.0
MOST_REVIVALS = 3
LAGS = (0.1, 0.4, 1.0)
"""Seconds before an act is sent again that the workflow refused and the rows would take."""
TASK_TIMEOUT = timedelta(seconds=3)  # how soon a dead worker's workflow task is given to another


class TemporalEngine:
    name = "temporal"
    is_told = True

    def __init__(self) -> None:
        self._asked: tuple[float, str, Reach] | None = None
        self._lock = threading.Lock()

    def reach(self) -> Reach:
        with self._lock:
            whom = f"{settings.TEMPORAL_ADDRESS} {settings.TEMPORAL_NAMESPACE}"
            if self._asked and self._asked[1] == whom and time.monotonic() - self._asked[0] < ASK_AGAIN_SECONDS:
                return self._asked[2]
            answer = _ask()
            if not answer.ok:  # one lost question must not send a run to another engine
                answer = _ask()
            self._asked = (time.monotonic(), whom, answer)
            return answer

    def begin(self, run: Run) -> None:
        """A workflow is started after the commit, by `take`."""

    def take(self, run: Run) -> None:
        if kept(run.kind):
            self.tend(run)
            return
        from temporalio.common import WorkflowIDReusePolicy

        # Started already: an earlier try of this hand-over got through.
        _start(run, RunStarted(at=now()), state="", took="", reuse=WorkflowIDReusePolicy.REJECT_DUPLICATE)
        taken = sql.Statement("UPDATE orchestration_run SET handed_over = %s WHERE id = %s", [True, run.pk])
        together(lambda: sql.run(taken))

    def deliver(self, message: Message) -> str:
        why = _update(message.run, message)
        for _ in range(MOST_REVIVALS):
            if why is not None:
                break
            why = _revive(message.run, message)
            if why is None:  # somebody else's message revived it first
                why = _update(message.run, message)
        if why is None:
            raise Unreachable(f"run '{message.run}' ends as often as it is asked to go on", field="engine")
        Message.objects.filter(pk=message.pk).update(delivered_at=now(), refusal=why)
        return why

    def alarm(self, run: Run, due: datetime, number: int) -> list[sql.Statement]:
        """The workflow asks for its next alarm each time it is woken."""
        return []

    def tend(self, run: Run) -> None:
        from orchestration.engines.temporal.tending import tend

        tend(run)

    def report(self, run: Run) -> Report:
        from orchestration.engines.temporal.troubles import report

        return report(run)

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


def _start(run: Run, event: Event, *, state: str, took: str, reuse: WorkflowIDReusePolicy) -> bool:
    """False: the workflow runs, or has run, already."""
    from temporalio.exceptions import WorkflowAlreadyStartedError

    from orchestration.engines.temporal import connection

    given = Start(
        workflow_id=run.workflow_id,
        run_pk=run.pk,
        plan=PLAN.dump_json(plan_of(run)).decode(),
        event=EVENT.dump_json(event).decode(),
        state=state,
        next_seq=ledger.next_seq(run),
        took=took,
        history_limit=settings.TEMPORAL_HISTORY_LIMIT,
        taken=_taken_before(run) if state else [],
        rules=run.rules,
    )

    async def start() -> None:
        client = await connection.client()
        await client.start_workflow(
            WORKFLOW,
            seals.sealed(given),
            id=run.workflow_id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            id_reuse_policy=reuse,
            task_timeout=TASK_TIMEOUT,
            rpc_timeout=timedelta(seconds=4),
        )

    try:
        connection.call(start())
    except WorkflowAlreadyStartedError:
        return False
    return True


def _taken_before(run: Run) -> list[str]:
    """Messages of the workflows that the run had before: sent once more, by whomever, they mean nothing."""
    latest = run.messages.exclude(delivered_at=None).order_by("-id").values_list("message_id", flat=True)
    return [*latest[:MOST_TAKEN]][::-1]


def _update(run: Run, message: Message) -> str | None:
    """The run's refusal, '' when it took the event, None when its workflow has ended."""
    from temporalio.client import WorkflowUpdateFailedError
    from temporalio.service import RPCError, RPCStatusCode

    from orchestration.engines.temporal import connection

    for pause in (*LAGS, None):
        try:
            connection.call(_send(run.workflow_id, message), seconds=UPDATE_SECONDS)
        except WorkflowUpdateFailedError as error:
            if getattr(error.cause, "type", "") == NOT_OURS:
                raise Unreachable(
                    f"the temporal worker takes no message of run '{run}' from this process: {error.cause}",
                    field="engine",
                    remedy="give every process of this site the same ZEN_SECRET_KEY, and start them all anew",
                ) from None
            if pause is None or not _is_legal_by_the_rows(run, message):
                return str(error.cause or error)
            time.sleep(pause)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        else:
            return ""
    raise AssertionError("the last try answers")


def _is_legal_by_the_rows(run: Run, message: Message) -> bool:
    """The rows can be ahead: a workflow whose last task is done once more hears an update before the last answer."""
    event = EVENT.validate_python(message.event)
    if not isinstance(event, Act):
        return False
    run.refresh_from_db()
    return not refusal(plan_of(run), ledger.load_state(run), event)


async def _send(workflow_id: str, message: Message) -> None:
    from temporalio.client import WorkflowUpdateFailedError
    from temporalio.service import RPCError

    from orchestration.engines.temporal import connection

    client = await connection.client()
    text = EVENT.dump_json(EVENT.validate_python(message.event)).decode()
    for pause in (0.2, 0.5, 1.0, None):
        try:
            handle = client.get_workflow_handle(workflow_id)
            told = seals.delivery(workflow_id, message.message_id, text)
            await handle.execute_update(DELIVER, told, id=message.message_id, result_type=str)
        except RPCError as error:
            if error.status not in connection.BUSY or pause is None:
                raise
            await asyncio.sleep(pause)
        except WorkflowUpdateFailedError as error:
            if getattr(error.cause, "type", "") != OVER or pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return


def _revive(run: Run, message: Message) -> str | None:
    """An ended run goes on from its rows: a rerun, or the undo of a finished child. None: it goes on already."""
    from temporalio.common import WorkflowIDReusePolicy

    event = EVENT.validate_python(message.event)
    if not isinstance(event, RerunRequested | AbortRequested):
        return "the run has ended"
    if _was_revived_by(message):
        return ""
    run.refresh_from_db()
    state = ledger.load_state(run)
    why = refusal(plan_of(run), state, event)
    if why:
        return why
    started = _start(
        run,
        event,
        state=STATE.dump_json(state).decode(),
        took=message.message_id,
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    return "" if started else None


def _was_revived_by(message: Message) -> bool:
    """Whether the latest workflow of the run was begun by this very message: an earlier try got that far and died."""
    from temporalio.service import RPCError, RPCStatusCode

    from orchestration.engines.temporal import connection

    async def took() -> str:
        client = await connection.client()
        async for event in client.get_workflow_handle(message.run.workflow_id).fetch_history_events(page_size=1):
            given = event.workflow_execution_started_event_attributes.input.payloads
            (start,) = await client.data_converter.decode(given, [Start])
            return str(start.took) if seals.is_our_start(start) else ""
        return ""

    try:
        return connection.call(took()) == message.message_id
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # its history is past its retention: the rows are what is left
            return False
        raise
