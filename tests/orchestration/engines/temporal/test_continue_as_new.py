"""A long run continues as new and nobody can tell from its ledger."""

from __future__ import annotations

import asyncio
from collections import Counter

from temporalio.worker import Replayer

from orchestration.core.saga.events import HoldRequested, ReleaseRequested
from orchestration.workers.temporal.saga_workflow import SagaWorkflow
from tests.orchestration.core.saga_world import make_plan
from tests.orchestration.engines.temporal.scenes import LONG
from tests.orchestration.engines.temporal.stage import NOON, Played, Scene, play, with_limit

HOLD = HoldRequested(at=NOON, by="x")
TOLD_TWICE = Scene(
    plan=make_plan(
        {f"s{n}": (f"s{n - 1}",) if n else () for n in range(20)} | {"pause": ("s19",)}, pause={"wait_seconds": 2.0}
    ),
    acts=[("running", HOLD), ("held", ReleaseRequested(at=NOON, by="x")), ("waiting", HOLD)],
    history_limit=40,
)
"""Between the message and its repetition the run continues as new."""


async def both(address: str) -> tuple[Played, Played]:
    whole, parts = await asyncio.gather(play(address, LONG), play(address, with_limit(LONG, 30)))
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


def test_a_message_that_comes_again_after_the_run_continued_as_new_is_taken_once(temporal_dev_server: str) -> None:
    played = asyncio.run(play(temporal_dev_server, TOLD_TWICE))
    assert len(played.histories) > 2 and played.status == "completed"
    assert played.log.count("act.hold") == played.log.count("act.release") == 1
