"""A worker that is not ours may serve our task queue and write a history: ours does not go on from it."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from orchestration.core.saga.codec import COMMAND, EVENT, PLAN
from orchestration.core.saga.commands import RunAction
from orchestration.core.saga.events import HoldRequested, RunStarted
from orchestration.engines.temporal import seals
from orchestration.engines.temporal.dto import DELIVER, PERFORM, RECORD, Deliver, Perform, Record, Start
from orchestration.models.run import RULES
from orchestration.workers.temporal import saga_workflow as interpreter
from orchestration.workers.temporal.saga_workflow import SagaWorkflow
from tests.orchestration.core.saga_world import make_plan
from tests.orchestration.engines.temporal.test_interpreter import NOON, ended
from tests.support.waiting import PATIENCE_SECONDS


async def written(address: str, forged: str) -> WorkflowHistory:
    """A history with one thing in it that has no seal of this site: '' for none."""
    client, name = await Client.connect(address), f"foreign-{uuid.uuid4().hex}"
    begun, told = asyncio.Event(), asyncio.Event()

    @activity.defn(name=PERFORM)
    async def perform(given: Perform) -> str:
        command = COMMAND.validate_json(given.command)
        assert isinstance(command, RunAction)
        begun.set()
        await told.wait()
        return f"{'0' * 64}:{ended(command)}" if forged == "answer" else seals.answer(name, 1, ended(command))

    @activity.defn(name=RECORD)
    async def record(given: Record) -> None:
        return None

    event = EVENT.dump_json(HoldRequested(at=NOON, by="admin")).decode()
    start = Start(
        workflow_id=name,
        run_pk=1,
        plan=PLAN.dump_json(make_plan({"a": (), "b": ("a",)})).decode(),
        event=EVENT.dump_json(RunStarted(at=NOON)).decode(),
        rules=RULES,
    )
    given = start if forged == "start" else seals.sealed(start)
    message = Deliver(event=event) if forged == "message" else seals.delivery(name, "once", event)
    async with Worker(client, task_queue=name, workflows=[SagaWorkflow], activities=[perform, record]):
        handle = await client.start_workflow(SagaWorkflow.run, given, id=name, task_queue=name)
        await begun.wait()
        await handle.execute_update(DELIVER, message, id="once", result_type=str)
        told.set()
        while not has_gone_on(await handle.fetch_history()):
            await asyncio.sleep(0.05)
        await handle.terminate()
    return await handle.fetch_history()


def has_gone_on(history: WorkflowHistory) -> bool:
    """Whether a workflow task was completed after the answer: what is replayed are completed ones."""
    kinds = [one.WhichOneof("attributes") for one in history.events]
    answer = "activity_task_completed_event_attributes"
    return answer in kinds and "workflow_task_completed_event_attributes" in kinds[kinds.index(answer) :]


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
    why = "ondeterminis" if forged == "answer" else "no process of this site"  # an answer of theirs is asked for again
    with pytest.raises(Exception, match=why):
        asyncio.run(replayed(history))


async def with_a_timer(address: str, seconds: float) -> WorkflowHistory:
    """Of a run that waits, by a worker whose workflow code is the one in this process: patched, perhaps."""
    client, name = await Client.connect(address), f"foreign-{uuid.uuid4().hex}"

    @activity.defn(name=RECORD)
    async def record(given: Record) -> None:
        return None

    start = Start(
        workflow_id=name,
        run_pk=1,
        plan=PLAN.dump_json(make_plan({"a": ()}, a={"wait_seconds": seconds})).decode(),
        event=EVENT.dump_json(RunStarted(at=NOON)).decode(),
        rules=RULES,
    )
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=name, workflows=[SagaWorkflow], activities=[record], workflow_runner=runner):
        handle = await client.start_workflow(SagaWorkflow.run, seals.sealed(start), id=name, task_queue=name)
        assert await handle.result() == "completed"
    return await handle.fetch_history()


def test_a_timer_that_somebody_elses_worker_has_shortened_is_not_over(
    temporal_dev_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(replayed(asyncio.run(asyncio.wait_for(with_a_timer(temporal_dev_server, 0.5), PATIENCE_SECONDS))))
    with monkeypatch.context() as theirs:
        lefts = iter([0.05, 0.0])
        theirs.setattr(interpreter, "_left", lambda _: next(lefts))
        history = asyncio.run(asyncio.wait_for(with_a_timer(temporal_dev_server, 3600), PATIENCE_SECONDS))
    with pytest.raises(Exception, match="ondeterminis"):
        asyncio.run(replayed(history))
