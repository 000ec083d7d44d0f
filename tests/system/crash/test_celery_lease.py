"""A living worker keeps its lease whatever its handlers do; one that is killed or stopped does not."""

from __future__ import annotations

import os
import signal
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from foundation.clock import database_now
from orchestration.models import Command, Worker
from orchestration.workers.lease_helper import MODULE
from tests.support.peer import Peer
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.processes import children
from tests.system.crash.workers import worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.timeout(400)]
eventually = partial(wait_until, what="what the line that waits says")


def eat(name: str, seconds: int) -> dict[str, Any]:
    return {
        "step_id": name,
        "dependencies": [],
        "timeout_seconds": 120,
        "forward_action": {"type": "task", "handler": "eat", "seconds": seconds},
    }


def test_a_handler_that_keeps_the_gil_has_nothing_made_twice(
    worker_env: dict[str, str], peer: Peer, settings: Settings
) -> None:
    settings.ZEN_TASKS = {"eat": "tests.system.crash.greedy.eat"}
    env = worker_env | {"ZEN_WORKER_LEASE_SECONDS": "6", "DJANGO_SETTINGS_MODULE": "tests.system.crash.greedy_settings"}
    for n in range(4):
        peer.delay[f"/things/pay{n}"] = 20.0
    with worker(env), worker(env):
        runs = [start(peer, "celery", step(f"pay{n}", [])) for n in range(4)]
        eventually(lambda: peer.at_once == 4)
        runs.append(start(peer, "celery", eat("eat", 22)))
        for run in runs:
            until(run)
    assert {run.status for run in runs} == {"completed"}
    assert Counter(peer.methods("POST")) == {f"/things/pay{n}": 1 for n in range(4)}
    assert set(Command.objects.filter(kind="run_action").values_list("tries", flat=True)) == {1}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_lease_ends_with_a_worker_that_is_killed_or_stopped(
    worker_env: dict[str, str], peer: Peer, number: signal.Signals
) -> None:
    """The worker alone, not its process group."""
    peer.hold("POST", "/things/b")
    with worker(worker_env) as first:
        run = start(peer, "celery", step("b", []))
        until(run, lambda _: peer.held("POST", "/things/b") == 1)
        eventually(lambda: len(children(first.process.pid, MODULE)) == 1)
        (helper,) = children(first.process.pid, MODULE)
        with worker(worker_env):
            os.kill(first.process.pid, number)
            until(run, lambda _: peer.held("POST", "/things/b") == 2)
            peer.let_go()
            until(run)
            if number == signal.SIGKILL:
                first.process.wait(PATIENCE_SECONDS)
                eventually(lambda: not Path(f"/proc/{helper}").exists())
    assert run.status == "completed" and set(peer.effects.values()) == {1}
    assert Command.objects.get(run=run, kind="run_action").tries == 2


def test_a_lease_process_that_is_killed_is_replaced_and_one_ends_with_its_worker(
    worker_env: dict[str, str], peer: Peer
) -> None:
    with worker(worker_env) as only:
        eventually(lambda: len(children(only.process.pid, MODULE)) == 1)
        (helper,) = children(only.process.pid, MODULE)
        os.kill(helper, signal.SIGKILL)
        eventually(lambda: children(only.process.pid, MODULE) not in ([], [helper]))
        (again,) = children(only.process.pid, MODULE)
        until(start(peer, "celery", step("a")))
        assert only.terminate() == 0, only.output()
        eventually(lambda: not Path(f"/proc/{again}").exists())
    assert not Worker.objects.filter(engine="celery", lease_until__gt=database_now()).exists()
