"""Days pass in a moment on the time-skipping server, and the run keeps its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from orchestration.runs.queries import run_view
from orchestration.workers.temporal.worker import hosted
from tests.support.peer import Peer
from tests.support.servers.skipping import SkippingServer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step


@pytest.fixture
def temporal(leaping_server: SkippingServer, settings: Settings, transactional_db: None) -> Iterator[str]:
    settings.TEMPORAL_ADDRESS = leaping_server.address
    settings.TEMPORAL_TASK_QUEUE = "long-waits"
    with hosted(), leaping_server.skip():
        yield "temporal"


def test_a_wait_of_two_days(temporal: str, peer: Peer) -> None:
    pause = {"step_id": "pause", "forward_action": {"type": "wait", "seconds": 172_800}, "dependencies": ["a"]}
    run = until(start(peer, temporal, step("a"), pause, step("b", ["pause"])))
    assert run_view(run)["status"] == "completed" and peer.methods("POST") == ["/things/a", "/things/b"]
    assert run.started_at is not None and run.finished_at is not None
    assert (run.finished_at - run.started_at).days >= 2


def test_a_deadline_of_a_day_rolls_back_what_waits_longer(temporal: str, peer: Peer) -> None:
    pause = {"step_id": "pause", "forward_action": {"type": "wait", "seconds": 172_800}, "dependencies": ["a"]}
    run = until(start(peer, temporal, step("a"), pause, timeout_seconds=86_400))
    view = run_view(run)
    assert (view["status"], view["cause"]) == ("rolled_back", "timed_out") and peer.things == {}
