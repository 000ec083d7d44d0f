"""Hand a message to the workflow of a saga's run, as an update; revive a run whose workflow has ended."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from foundation.errors import Unreachable
from orchestration.core.enums import RunStatus
from orchestration.core.saga.codec import EVENT, STATE
from orchestration.core.saga.events import AbortRequested, Act, Event, RerunRequested
from orchestration.core.saga.guards import refusal
from orchestration.engines.temporal import connection, seals
from orchestration.engines.temporal.dto import DELIVER, NOT_OURS, OVER, Taken
from orchestration.engines.temporal.executions import ENDED_ALONE, TAKE_UP, delivered
from orchestration.engines.temporal.start_workflow import start_workflow
from orchestration.engines.temporal.taken_messages import taken_by_the_latest
from orchestration.ledger import store
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Message, Run

UPDATE_SECONDS = 10.0
MOST_REVIVALS = 3
LAGS = (0.1, 0.4, 1.0)
"""Seconds before an act is sent again that the workflow refused and the rows would take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`why`: the run's refusal, '' when it took the event. `taken`: as in executions.delivered."""

    why: str = ""
    taken: Taken | None = None


def deliver(message: Message) -> str:
    """The run's refusal, '' when it took the event; either is noted. Raises Unreachable."""
    answer = _update(message.run, message)
    for _ in range(MOST_REVIVALS):
        if answer is not None:
            break
        answer = _revive(message.run, message) or _update(message.run, message)  # another may have revived it first
    if answer is None:
        raise Unreachable(f"run '{message.run}' ends as often as it is asked to go on", field="engine")
    delivered(message, answer.why, answer.taken)
    return answer.why


def _update(run: Run, message: Message) -> Answer | None:
    """None when the run's workflow has ended."""
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
            f"what answers for the workflow of run '{run}' is not a worker of this site",
            field="engine",
            remedy="give every process of this site the same ZEN_SECRET_KEY; or check who may write to the namespace",
        )
    return taken


def _is_legal_by_the_rows(run: Run, message: Message) -> bool:
    """The rows can be ahead: a workflow whose last task is done once more hears an update before the last answer."""
    event = EVENT.validate_python(message.event)
    if not isinstance(event, Act):
        return False
    run.refresh_from_db()
    return not refusal(compiled_plan(run), store.load_state(run), event)


async def _send(workflow_id: str, message: Message) -> str:
    """What the workflow answers."""
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
    event = EVENT.validate_python(message.event)
    before = taken_by_the_latest(run)
    if message.message_id in before:  # an earlier try got that far and was not noted
        return Answer(taken=before[message.message_id])
    if not isinstance(event, RerunRequested | AbortRequested):
        return _of_an_ended(run, message, event)
    run.refresh_from_db()
    state = store.load_state(run)
    why = refusal(compiled_plan(run), state, event)
    if why:
        return Answer(why)
    execution = start_workflow(
        run, event, state=STATE.dump_json(state).decode(), took=message.message_id, taken=before,
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )  # fmt: skip
    return Answer(taken=Taken(execution=execution, heard=run.heard + 1)) if execution else None


def _of_an_ended(run: Run, message: Message, event: Event) -> Answer:
    """Its workflow has ended. Raises Unreachable when its rows have not: what is no act of a person stays stored."""
    run.refresh_from_db()
    if RunStatus(run.status).is_end:
        return Answer("the run has ended")
    again = _update(run, message)  # another message may have revived it meanwhile
    if again is not None:
        return again
    if isinstance(event, Act):
        return Answer(f"{ENDED_ALONE}; {TAKE_UP}")
    raise Unreachable(f"run '{run}': {ENDED_ALONE}", field="engine", remedy=TAKE_UP)
