"""A worker that is not ours may serve our task queue and write a history: ours does not go on from it."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, Worker

from orchestration.core.codec import COMMAND, EVENT, PLAN
from orchestration.core.commands import RunAction
from orchestration.core.events import HoldRequested, RunStarted
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import DELIVER, PERFORM, RECORD, Deliver, Perform, Record, Start
from orchestration.engines.temporal.workflow import SagaWorkflow
from orchestration.models.run import RULES
from tests.core.saga_world import make_plan
from tests.orchestration.engines.temporal.test_interpreter import NOON, ended
from tests.waiting import PATIENCE_SECONDS


async def written(address: str, forged: str) -> WorkflowHistory:
    """A history with one thing in it that has no seal of this site: '' for none."""
    client, name = await Client.connect(address), f"foreign-{uuid.uuid4().hex}"
    told = asyncio.Event()

    @activity.defn(name=PERFORM)
    async def perform(given: Perform) -> str:
        command = COMMAND.validate_json(given.command)
        assert isinstance(command, RunAction)
        await told.wait()
        return ended(command) if forged == "answer" else seals.answer(name, 1, ended(command))

    @activity.defn(name=RECORD)
    async def record(given: Record) -> None:
        return None

    event = EVENT.dump_json(HoldRequested(at=NOON, by="admin")).decode()
    start = Start(
        workflow_id=name,
        run_pk=1,
        plan=PLAN.dump_json(make_plan({"a": ()})).decode(),
        event=EVENT.dump_json(RunStarted(at=NOON)).decode(),
        rules=RULES,
    )
    given = start if forged == "start" else seals.sealed(start)
    message = Deliver(event=event) if forged == "message" else seals.delivery(name, "once", event)
    async with Worker(client, task_queue=name, workflows=[SagaWorkflow], activities=[perform, record]):
        handle = await client.start_workflow(SagaWorkflow.run, given, id=name, task_queue=name)
        await handle.execute_update(DELIVER, message, id="once", result_type=str)
        told.set()
        while not any(
            one.HasField("activity_task_completed_event_attributes") for one in (await handle.fetch_history()).events
        ):
            await asyncio.sleep(0.05)
        await handle.terminate()
    return await handle.fetch_history()


async def replayed(history: WorkflowHistory) -> None:
    await Replayer(workflows=[SagaWorkflow]).replay_workflow(history)


@pytest.mark.parametrize("forged", ["", "start", "message", "answer"])
def test_a_history_of_somebody_elses_worker_is_not_continued(
    temporal_dev_server: str, forged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as theirs:  # who looks at no seal
        theirs.setattr(seals, "_holds", lambda *_: True)
        history = asyncio.run(asyncio.wait_for(written(temporal_dev_server, forged), PATIENCE_SECONDS))
    if not forged:
        asyncio.run(replayed(history))
        return
    with pytest.raises(Exception, match="no process of this site"):
        asyncio.run(replayed(history))
