"""The Temporal engine's door."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from orchestration import ledger, sql
from orchestration.clock import now
from orchestration.combining import together
from orchestration.core.codec import EVENT, PLAN, STATE
from orchestration.core.events import AbortRequested, Act, Event, RerunRequested, RunStarted
from orchestration.core.guards import refusal
from orchestration.core.words import RunStatus
from orchestration.engines.base import Reach, Report
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import DELIVER, MOST_TAKEN, NOT_OURS, OVER, WORKFLOW, Start, Taken
from orchestration.engines.temporal.ended import ENDED_ALONE, TAKE_UP
from orchestration.engines.temporal.executions import delivered
from orchestration.engines.temporal.taken import taken_by_the_latest
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


_TAKEN = """
UPDATE orchestration_run SET handed_over = %s, execution = CASE WHEN execution = '' THEN %s ELSE execution END
WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """`why`: the run's refusal, '' when it took the event. `taken`: as in executions.delivered."""

    why: str = ""
    taken: Taken | None = None


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
        first = _start(run, RunStarted(at=now()), state="", took="", reuse=WorkflowIDReusePolicy.REJECT_DUPLICATE)
        taken = sql.Statement(_TAKEN, [True, first, run.pk])
        together(lambda: sql.run(taken))

    def deliver(self, message: Message) -> str:
        answer = _update(message.run, message)
        for _ in range(MOST_REVIVALS):
            if answer is not None:
                break
            answer = _revive(message.run, message)
            if answer is None:  # somebody else's message revived it first
                answer = _update(message.run, message)
        if answer is None:
            raise Unreachable(f"run '{message.run}' ends as often as it is asked to go on", field="engine")
        delivered(message, answer.why, answer.taken)
        return answer.why

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


def _start(
    run: Run, event: Event, *, state: str, took: str, reuse: WorkflowIDReusePolicy, taken: Iterable[str] = ()
) -> str:
    """The id of the execution; '' when the workflow runs, or has run, already."""
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
        taken=_taken_before(run, taken) if state else [],
        rules=run.rules,
        heard=run.heard + 1 if took else 0,
    )

    async def start() -> str:
        client = await connection.client()
        handle = await client.start_workflow(
            WORKFLOW,
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


def _update(run: Run, message: Message) -> Answer | None:
    """None when the run's workflow has ended."""
    from temporalio.client import WorkflowUpdateFailedError
    from temporalio.service import RPCError, RPCStatusCode

    from orchestration.engines.temporal import connection

    for pause in (*LAGS, None):
        try:
            text = connection.call(_send(run.workflow_id, message), seconds=UPDATE_SECONDS)
        except WorkflowUpdateFailedError as error:
            if getattr(error.cause, "type", "") == NOT_OURS:
                raise Unreachable(
                    f"the temporal worker takes no message of run '{run}' from this process: {error.cause}",
                    field="engine",
                    remedy="give every process of this site the same ZEN_SECRET_KEY, and start them all anew",
                ) from None
            if pause is None or not _is_legal_by_the_rows(run, message):
                return Answer(str(error.cause or error))
            time.sleep(pause)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        else:
            return Answer(taken=_who_took(run, message, text))
    raise AssertionError("the last try answers")


def _who_took(run: Run, message: Message, answer: str) -> Taken | None:
    if not seals.is_sealed(run.rules):
        return None
    taken = seals.who_took(run.workflow_id, message.message_id, answer)
    if taken is None:
        raise Unreachable(
            f"what answers for the workflow of run '{run}' is none of this site",
            field="engine",
            remedy="give every process of this site the same ZEN_SECRET_KEY; else see who may write to the namespace",
        )
    return taken


def _is_legal_by_the_rows(run: Run, message: Message) -> bool:
    """The rows can be ahead: a workflow whose last task is done once more hears an update before the last answer."""
    event = EVENT.validate_python(message.event)
    if not isinstance(event, Act):
        return False
    run.refresh_from_db()
    return not refusal(plan_of(run), ledger.load_state(run), event)


async def _send(workflow_id: str, message: Message) -> str:
    """What the workflow answers."""
    from temporalio.client import WorkflowUpdateFailedError
    from temporalio.service import RPCError

    from orchestration.engines.temporal import connection

    client = await connection.client()
    text = EVENT.dump_json(EVENT.validate_python(message.event)).decode()
    for pause in (0.2, 0.5, 1.0, None):
        try:
            handle = client.get_workflow_handle(workflow_id)
            told = seals.delivery(workflow_id, message.message_id, text)
            return str(await handle.execute_update(DELIVER, told, id=message.message_id, result_type=str))
        except RPCError as error:
            if error.status not in connection.BUSY or pause is None:
                raise
            await asyncio.sleep(pause)
        except WorkflowUpdateFailedError as error:
            if getattr(error.cause, "type", "") != OVER or pause is None:
                raise
            await asyncio.sleep(pause)
    raise AssertionError("the last try answers")


def _revive(run: Run, message: Message) -> Answer | None:
    """An ended run goes on from its rows: a rerun, or the undo of a finished child. None: it goes on already."""
    from temporalio.common import WorkflowIDReusePolicy

    event = EVENT.validate_python(message.event)
    before = taken_by_the_latest(run)
    if message.message_id in before:  # an earlier try got that far and was not noted
        return Answer(taken=before[message.message_id])
    if not isinstance(event, RerunRequested | AbortRequested):
        return _of_an_ended(run, message, event)
    run.refresh_from_db()
    state = ledger.load_state(run)
    why = refusal(plan_of(run), state, event)
    if why:
        return Answer(why)
    execution = _start(
        run,
        event,
        state=STATE.dump_json(state).decode(),
        took=message.message_id,
        taken=before,
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    return Answer(taken=Taken(execution=execution, heard=run.heard + 1)) if execution else None


def _of_an_ended(run: Run, message: Message, event: Event) -> Answer:
    """Its workflow has ended. Raises Unreachable when its rows have not: what is no act of a person stays stored."""
    run.refresh_from_db()
    if RunStatus(run.status).is_end:
        return Answer("the run has ended")
    again = _update(run, message)  # somebody else's message may have revived it meanwhile
    if again is not None:
        return again
    if isinstance(event, Act):
        return Answer(f"{ENDED_ALONE}; {TAKE_UP}")
    raise Unreachable(f"run '{run}': {ENDED_ALONE}", field="engine", remedy=TAKE_UP)
