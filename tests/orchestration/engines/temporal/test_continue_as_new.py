"""A long run continues as new and nobody can tell from its ledger."""

from __future__ import annotations

import asyncio
from collections import Counter

from temporalio.worker import Replayer

from orchestration.engines.temporal.workflow import SagaWorkflow
from tests.orchestration.engines.temporal.scenes import LONG
from tests.orchestration.engines.temporal.stage import Played, play, with_limit


async def both(address: str) -> tuple[Played, Played]:
    whole, parts = await asyncio.gather(play(address, LONG), play(address, with_limit(LONG, 60)))
    for history in parts.histories:
        await Replayer(workflows=[SagaWorkflow]).replay_workflow(history)
    return whole, parts


def test_a_run_in_parts_keeps_the_ledger_of_a_run_in_one(temporal_dev_server: str) -> None:
    whole, parts = asyncio.run(both(temporal_dev_server))
    assert len(whole.histories) == 1
    assert len(parts.histories) > 3
    assert whole.status == parts.status == "completed"
    assert [seq for seq, _ in parts.facts] == list(range(1, len(parts.facts) + 1))
    about_the_run = Counter(line for line in parts.log if not line.startswith("run."))
    assert about_the_run == Counter(line for line in whole.log if not line.startswith("run."))
