"""A living worker's attempt is made once, whatever holds the worker up; a dead one's is made again soon."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from orchestration.core.enums import Outcome
from orchestration.models import Command, Run
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.locking import locked
from tests.system.crash.processes import children
from tests.system.crash.workers import worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]
WORKER = ("manage.py", "temporal_worker")
HEARTBEAT_PROCESS = "orchestration.workers.temporal.heartbeat_process"


@pytest.fixture
def env(process_env: dict[str, str], peer: Peer, temporal_dev_server: str, settings: Settings) -> dict[str, str]:
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, "heartbeats"
    return process_env | {
        "ZEN_OUTBOUND_ALLOW": peer.address,
        "TEMPORAL_ADDRESS": temporal_dev_server,
        "TEMPORAL_TASK_QUEUE": "heartbeats",
        "DJANGO_SETTINGS_MODULE": "tests.system.crash.greedy_settings",
    }


def posts(peer: Peer) -> Counter[str]:
    return Counter(peer.methods("POST"))


def outcomes(run: Run) -> set[tuple[str, str, int]]:
    rows = run.commands.filter(kind="run_action").values_list("step_id", "outcome", "tries")
    return {(step_id, outcome, tries) for step_id, outcome, tries in rows}


def test_a_handler_that_keeps_the_gil_has_nothing_made_twice(
    env: dict[str, str], peer: Peer, settings: Settings
) -> None:
    settings.ZEN_TASKS = {"eat": "tests.system.crash.greedy.eat"}
    eat: dict[str, Any] = {
        "step_id": "eat",
        "dependencies": [],
        "timeout_seconds": 120,
        "forward_action": {"type": "task", "handler": "eat", "seconds": 40},
    }
    pays = [step(f"pay{n}", []) for n in range(4)]
    peer.delay |= {f"/things/pay{n}": 3.0 for n in range(4)}
    with worker(env, *WORKER, engine="temporal"):
        run = start(peer, "temporal", eat, *pays)
        until(run)
    assert run.status == "completed", [event.data for event in run.events.all()]
    assert posts(peer) == {f"/things/pay{n}": 1 for n in range(4)}
    assert outcomes(run) == {(name, Outcome.SUCCEEDED, 1) for name in ("eat", "pay0", "pay1", "pay2", "pay3")}


@pytest.mark.both_databases
def test_a_locked_table_has_nothing_made_twice(env: dict[str, str], peer: Peer) -> None:
    peer.delay["/things/pay"] = 5.0
    with worker(env, *WORKER, engine="temporal"):
        run = start(peer, "temporal", step("pay", []), step("next", ["pay"]))
        until(run, lambda _: peer.at_once > 0)
        with locked(45):
            pass
        until(run)
    assert run.status == "completed", [event.data for event in run.events.all()]
    assert posts(peer) == {"/things/pay": 1, "/things/next": 1}
    assert outcomes(run) == {("pay", Outcome.SUCCEEDED, 1), ("next", Outcome.SUCCEEDED, 1)}


def test_the_beats_end_with_a_worker_that_is_killed(env: dict[str, str], peer: Peer) -> None:
    """The worker alone, not its process group."""
    peer.delay["/things/b"] = 30.0
    with worker(env, *WORKER, engine="temporal") as first, worker(env, *WORKER, engine="temporal") as second:
        run = start(peer, "temporal", step("b", []))
        until(run, lambda _: peer.at_once > 0)
        row = Command.objects.get(run=run)
        victim = first if row.worker.endswith(f":{first.process.pid}") else second
        (helper,) = children(victim.process.pid, HEARTBEAT_PROCESS)
        os.kill(victim.process.pid, signal.SIGKILL)
        victim.process.wait(PATIENCE_SECONDS)
        peer.delay.clear()
        until(run)
        until(run, lambda _: not Path(f"/proc/{helper}").exists())
    assert run.status == "completed" and peer.effects[peer.calls[-1][2]] >= 1
    assert outcomes(run) == {("b", Outcome.SUCCEEDED, 2)}


def test_a_heartbeat_process_that_is_killed_is_replaced(env: dict[str, str], peer: Peer) -> None:
    peer.delay["/things/b"] = 15.0
    with worker(env, *WORKER, engine="temporal") as only:
        run = start(peer, "temporal", step("b", []))
        until(run, lambda _: peer.at_once > 0)
        (helper,) = children(only.process.pid, HEARTBEAT_PROCESS)
        os.kill(helper, signal.SIGKILL)
        until(run)
    assert run.status == "completed" and posts(peer) == {"/things/b": 1}
    assert outcomes(run) == {("b", Outcome.SUCCEEDED, 1)}
