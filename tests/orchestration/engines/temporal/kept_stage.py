"""The workflow of a run that keeps its own state, alone on a real server: alarms, word of a change, its end."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Worker

from orchestration.engines.temporal.dto import DELIVER, TIMER_DUE, Deliver, Kept, NextTimer, TimerDue
from orchestration.workers.temporal.external_workflow import HumanApprovalWorkflow
from tests.support.waiting import PATIENCE_SECONDS


async def play_kept(address: str) -> WorkflowHistory:
    """It rings for an alarm that is due soon, sleeps until it is told of a change, and ends."""
    client, name, asleep = await Client.connect(address), f"kept-{uuid.uuid4().hex}", asyncio.Event()
    asked: list[str] = []

    @activity.defn(name=TIMER_DUE)
    async def on_timer_due(given: TimerDue) -> NextTimer:
        asked.append(given.at)
        soon = (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()
        answers = [NextTimer(due=soon, ended=False), NextTimer(due="", ended=False), NextTimer(due="", ended=True)]
        if len(asked) == 2:
            asleep.set()
        return answers[len(asked) - 1]

    async with Worker(client, task_queue=name, workflows=[HumanApprovalWorkflow], activities=[on_timer_due]):
        handle = await client.start_workflow(
            HumanApprovalWorkflow.run, Kept(run_pk=1, kind="approval"), id=name, task_queue=name
        )
        await asyncio.wait_for(asleep.wait(), PATIENCE_SECONDS)
        await handle.execute_update(DELIVER, Deliver(event=""), id="changed", result_type=str)
        assert await asyncio.wait_for(handle.result(), PATIENCE_SECONDS) == "ended"
    return await handle.fetch_history()
