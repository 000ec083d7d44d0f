"""The workflow of a run that keeps its own state, alone on a real server: alarms, word of a change, its end."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Worker

from orchestration.engines.temporal.dto import DELIVER, RING, Deliver, Kept, Ring, Rung
from orchestration.engines.temporal.keeping import HumanApprovalWorkflow
from tests.waiting import PATIENCE_SECONDS


async def play_kept(address: str) -> WorkflowHistory:
    """It rings for an alarm that is due soon, sleeps until it is told of a change, and ends."""
    client, name, asleep = await Client.connect(address), f"kept-{uuid.uuid4().hex}", asyncio.Event()
    rung: list[str] = []

    @activity.defn(name=RING)
    async def ring(given: Ring) -> Rung:
        rung.append(given.at)
        soon = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
        answers = [Rung(due=soon, ended=False), Rung(due="", ended=False), Rung(due="", ended=True)]
        if len(rung) == 2:
            asleep.set()
        return answers[len(rung) - 1]

    async with Worker(client, task_queue=name, workflows=[HumanApprovalWorkflow], activities=[ring]):
        handle = await client.start_workflow(
            HumanApprovalWorkflow.run, Kept(run_pk=1, kind="approval"), id=name, task_queue=name
        )
        await asyncio.wait_for(asleep.wait(), PATIENCE_SECONDS)
        await handle.execute_update(DELIVER, Deliver(event=""), id="changed", result_type=str)
        assert await asyncio.wait_for(handle.result(), PATIENCE_SECONDS) == "ended"
    return await handle.fetch_history()
