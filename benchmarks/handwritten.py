"""What an experienced user of Temporal writes for a saga: activities in turn, compensations kept in a list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from benchmarks import handlers

STEPS = ("s0", "s1", "s2")


@workflow.defn
class HandwrittenSaga:
    @workflow.run
    async def run(self, number: int, stores: bool) -> str:
        done: list[str] = []
        try:
            for step in STEPS:
                done.append(step)
                await self._activity(perform, [number, step, stores])
        except ActivityError:
            for step in reversed(done):
                await self._activity(undo, [number, step, stores])
            return "rolled_back"
        return "completed"

    async def _activity(self, what: Callable[..., object], arguments: list[object]) -> None:
        await workflow.execute_activity(
            what.__name__,
            args=arguments,
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=5),
        )


@activity.defn
def perform(number: int, step: str, stores: bool) -> dict[str, int]:
    output = handlers.trivial({}, None)
    if stores:
        _store(number, step, output)
    return output


@activity.defn
def undo(number: int, step: str, stores: bool) -> None:
    if stores:
        _store(number, step, {})


def _store(number: int, step: str, output: dict[str, int]) -> None:
    """One row for each step, as a team keeps that wants to see in its own database what was done."""
    from django.db import close_old_connections

    from foundation.clock import now
    from orchestration.models import Event

    close_old_connections()
    Event.objects.create(run_id=number, seq=STEPS.index(step), at=now(), kind="step", step_id=step, data=output)
    close_old_connections()
