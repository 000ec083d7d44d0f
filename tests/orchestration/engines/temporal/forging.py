"""What somebody does who may write to the Temporal namespace, and to nothing else of the site."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy
from temporalio.worker import Worker

from orchestration.core.saga.codec import EVENT, PLAN
from orchestration.core.saga.events import Event
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.dto import DELIVER, PERFORM, WORKFLOW
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.models import Run
from tests.support.waiting import PATIENCE_SECONDS

SOON = timedelta(seconds=PATIENCE_SECONDS)


@workflow.defn(name="Orders", sandboxed=False)
class Orders:
    @workflow.run
    async def run(self, what: str, queue: str, given: dict[str, Any]) -> Any:
        once = RetryPolicy(maximum_attempts=1)
        return await workflow.execute_activity(
            what, given, task_queue=queue, start_to_close_timeout=SOON, retry_policy=once
        )


def order(workflow_id: str, what: str, given: object) -> Any:
    """Let an own workflow, which takes the place of the run's, order an activity of the site's workers."""

    async def go() -> Any:
        client, queue = await Client.connect(settings.TEMPORAL_ADDRESS), f"orders-{workflow_id}"
        plain = dataclasses.asdict(given)  # type: ignore[call-overload]
        async with Worker(client, task_queue=queue, workflows=[Orders]):
            return await client.execute_workflow(
                "Orders",
                args=[what, settings.TEMPORAL_TASK_QUEUE, plain],
                id=workflow_id,
                task_queue=queue,
                id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            )

    return asyncio.run(asyncio.wait_for(go(), PATIENCE_SECONDS))


def start_anew(run: Run, *, event: Event, plan: dict[str, Any] | None = None, **more: object) -> None:
    """Terminate the run's workflow and start one in its place, without a seal."""
    first = {"event": EVENT.dump_json(event).decode(), "plan": json.dumps(plan or plan_as_json(run))}
    start_again(run, {"workflow_id": run.workflow_id, "run_pk": run.pk, **first, **more})


def plan_as_json(run: Run) -> dict[str, Any]:
    return dict(json.loads(PLAN.dump_json(compiled_plan(run))))


def answer_in_its_place(queue: str, answer: str) -> None:
    """Serve the task queue in a worker's place until something was answered."""
    answered = asyncio.Event()

    @activity.defn(name=PERFORM)
    async def perform(_: dict[str, Any]) -> str:
        answered.set()
        return answer

    async def go() -> None:
        client = await Client.connect(settings.TEMPORAL_ADDRESS)
        async with Worker(client, task_queue=queue, activities=[perform]):
            await answered.wait()

    asyncio.run(asyncio.wait_for(go(), PATIENCE_SECONDS))


def refusals(run: Run) -> str:
    """Why its workflow and the activities of it stand still, as the server has it."""

    async def go() -> str:
        client = await Client.connect(settings.TEMPORAL_ADDRESS)
        found: WorkflowExecutionDescription = await client.get_workflow_handle(run.workflow_id).describe()
        return " ".join(one.last_failure.message for one in found.raw_description.pending_activities)

    return asyncio.run(asyncio.wait_for(go(), PATIENCE_SECONDS))


@workflow.defn(name="Swallows", sandboxed=False)
class Swallows:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(name=DELIVER)
    async def deliver(self, _: dict[str, Any]) -> str:
        return ""


@contextmanager
def swallowing(run: Run) -> Iterator[None]:
    """While the block runs, an own workflow is in the place of the run's, takes what it is told and does nothing."""
    loop, stop, queue = connection.loop(), asyncio.Event(), f"swallows-{run.workflow_id}"
    there = threading.Event()

    async def go() -> None:
        client = await Client.connect(settings.TEMPORAL_ADDRESS)
        async with Worker(client, task_queue=queue, workflows=[Swallows]):
            await client.start_workflow(
                "Swallows",
                id=run.workflow_id,
                task_queue=queue,
                id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            )
            there.set()
            await stop.wait()

    going = asyncio.run_coroutine_threadsafe(go(), loop)
    try:
        assert there.wait(PATIENCE_SECONDS)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        going.result(PATIENCE_SECONDS)


def first_start(run: Run) -> dict[str, Any]:
    """What the run's workflow was started with, as its history shows it to everybody."""

    async def go() -> dict[str, Any]:
        client = await Client.connect(settings.TEMPORAL_ADDRESS)
        history = await client.get_workflow_handle(run.workflow_id).fetch_history()
        (payload,) = history.events[0].workflow_execution_started_event_attributes.input.payloads
        return dict(json.loads(payload.data))

    return asyncio.run(asyncio.wait_for(go(), PATIENCE_SECONDS))


def start_again(run: Run, start: dict[str, Any]) -> None:
    """Terminate the run's workflow and start it in its place with what it was started with once."""

    async def go() -> None:
        client = await Client.connect(settings.TEMPORAL_ADDRESS)
        await client.start_workflow(
            WORKFLOW,
            start,
            id=run.workflow_id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )

    asyncio.run(asyncio.wait_for(go(), PATIENCE_SECONDS))
