"""The workflow of a run that keeps its state in its rows: it sleeps until the next timer, or until it is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from orchestration.engines.temporal.dto import (
        DELIVER,
        KEPT_WORKFLOWS,
        TIMER_DUE,
        Deliver,
        Kept,
        NextTimer,
        TimerDue,
    )

RING_SECONDS = timedelta(minutes=1)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""Without an end: a database that is away must not lose an alarm."""


@workflow.defn(name=KEPT_WORKFLOWS["approval"])
class HumanApprovalWorkflow:
    """Keeps the time of one approval. Its name and commands are part of stored histories."""

    def __init__(self) -> None:
        self.told = 0

    @workflow.run
    async def run(self, kept: Kept) -> str:
        """Ask the flow when it wants to be woken, sleep until then, and ask again, until it has ended."""
        while True:
            told = self.told
            following: NextTimer = await workflow.execute_activity(
                TIMER_DUE,
                TimerDue(run_pk=kept.run_pk, kind=kept.kind, at=workflow.now().isoformat()),
                result_type=NextTimer,
                start_to_close_timeout=RING_SECONDS,
                retry_policy=RETRY,
            )
            if following.ended:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return "ended"
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(kept)
            await self._sleep(told, following.due)

    @workflow.update(name=DELIVER)
    async def deliver(self, _: Deliver) -> str:
        """The run has changed: ask again at once."""
        self.told += 1
        return ""

    async def _sleep(self, told: int, due: str) -> None:
        seconds = (datetime.fromisoformat(due) - workflow.now()).total_seconds() if due else None
        if seconds is not None and seconds <= 0:
            return
        try:
            await workflow.wait_condition(lambda: self.told != told, timeout=seconds)
        except TimeoutError:
            return
