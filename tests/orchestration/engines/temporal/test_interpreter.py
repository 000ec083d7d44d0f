"""The interpreter alone, on a real server: replay, and the same update twice. No database."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Replayer, Worker

from orchestration.core.enums import Outcome
from orchestration.core.saga.codec import COMMAND, EVENT, PLAN
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.events import ActionEnded, RunStarted
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import DELIVER, PERFORM, RECORD, Perform, Record, Start
from orchestration.workers.temporal.saga_workflow import SagaWorkflow
from tests.orchestration.core.saga_world import make_plan
from tests.support.waiting import PATIENCE_SECONDS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ended(command: RunAction) -> str:
    event = ActionEnded(
        at=NOON,
        step_id=command.step_id,
        purpose=command.purpose,
        iteration=command.iteration,
        attempt=command.attempt,
        outcome=Outcome.SUCCEEDED,
    )
    return EVENT.dump_json(event).decode()


async def interpret(address: str, *, deferred: bool) -> tuple[str, list[str]]:
    """Run a -> b -> c; when `deferred`, the outcome of b comes as an update, sent twice under one id."""
    client, name, late = await Client.connect(address), f"saga-{uuid.uuid4().hex}", asyncio.Queue[str]()
    told = asyncio.Event()

    @activity.defn(name=PERFORM)
    async def perform(given: Perform) -> str:
        command = COMMAND.validate_json(given.command)
        assert isinstance(command, RunAction)
        if deferred and command.step_id == "b":
            late.put_nowait(ended(command))
            return ""
        if deferred and command.step_id == "c":
            await told.wait()  # the run must not end before it was told twice
        return ended(command)

    @activity.defn(name=RECORD)
    async def record(given: Record) -> None:
        return None

    plan = make_plan({"a": (), "b": ("a",), "c": ("b",)}, b={"external": deferred})
    started = EVENT.dump_json(RunStarted(at=NOON)).decode()
    start = Start(workflow_id=name, run_pk=1, plan=PLAN.dump_json(plan).decode(), event=started)
    async with Worker(client, task_queue=name, workflows=[SagaWorkflow], activities=[perform, record]):
        handle = await client.start_workflow(SagaWorkflow.run, start, id=name, task_queue=name)
        answers: list[str] = []
        if deferred:
            message = seals.delivery(name, "once", await late.get())
            send = [handle.execute_update(DELIVER, message, id="once", result_type=str) for _ in range(2)]
            answers = [await sent for sent in send]
            told.set()
        status = await asyncio.wait_for(handle.result(), PATIENCE_SECONDS)
    await Replayer(workflows=[SagaWorkflow]).replay_workflow(await handle.fetch_history())
    return status, answers


def test_a_history_is_replayed_to_the_same_decisions(temporal_dev_server: str) -> None:
    assert asyncio.run(interpret(temporal_dev_server, deferred=False)) == ("completed", [])


def test_the_same_update_is_taken_once_and_answered_twice(temporal_dev_server: str) -> None:
    assert asyncio.run(interpret(temporal_dev_server, deferred=True)) == ("completed", ["", ""])
