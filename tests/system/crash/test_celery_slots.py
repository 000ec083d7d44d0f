"""All action threads taken, ten thousand commands ready, no broker: time, leases and deliveries go on."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from foundation.clock import now
from notifications.webhooks import call_back, endpoint_for
from orchestration.models import Command, Run
from tests.support.peer import Peer
from tests.support.servers.fixtures import need
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.workers import WorkerProcess, worker
from zen_project.embedded import valkey

pytestmark = pytest.mark.django_db(transaction=True)
eventually = partial(wait_until, what="what the line that waits says")

AN_HOUR = 3600.0


def ready(run: Run, count: int) -> None:
    """Commands that no thread will ever come to."""
    rows = (
        Command(run=run, kind="run_action", step_id="a", iteration=2, attempt=n, due_at=now(), turn=1000 + n)
        for n in range(count)
    )
    Command.objects.bulk_create(rows, batch_size=500)


def test_nothing_shares_its_place_with_hour_long_calls(worker_env: dict[str, str], peer: Peer) -> None:
    env = worker_env | {"ZEN_WORKER_QUEUES": "default:2", "CELERY_BROKER_URL": "memory://"}
    for n in range(4):
        peer.delay[f"/things/long{n}"] = AN_HOUR
    with worker(env) as first, worker(env):
        calls = [start(peer, "celery", step(f"long{n}", retry_count=5), timeout_minutes=120) for n in range(2)]
        calls += [start(peer, "celery", step(f"long{n}", retry_count=5), timeout_minutes=120) for n in (2, 3)]
        eventually(lambda: peer.at_once == 4)
        ready(calls[0], 10_000)
        pause = {"step_id": "pause", "dependencies": [], "forward_action": {"type": "wait", "seconds": 1}}
        timed = start(peer, "celery", pause, step("after", ["pause"]))
        eventually(lambda: timed.events.filter(kind="timer.wait").exists())
        late = start(peer, "celery", step("b"), timeout_seconds=1)
        eventually(lambda: late.events.filter(kind="timer.deadline").exists())
        call_back(endpoint=endpoint_for(peer.url + "/heard", "shop"), subject="s", event_type="a.b", data={})
        eventually(lambda: "/heard" in peer.methods("POST"))
        dead = {row.worker for row in Command.objects.filter(status="running")}
        first.kill()
        eventually(lambda: Command.objects.filter(status="running").count() == 2)
        assert len({row.worker for row in Command.objects.filter(status="running")} & dead) == 1


def test_work_goes_on_while_the_broker_stands_still(worker_env: dict[str, str], peer: Peer, tmp_path: Path) -> None:
    need(valkey.available)
    with valkey.valkey(tmp_path) as broker, worker(worker_env | {"CELERY_BROKER_URL": broker.address}):
        until(start(peer, "celery", step("a")))
        broker.send_signal(signal.SIGSTOP)
        try:
            run = start(peer, "celery", step("b"), step("c"))
            until(run)
        finally:
            broker.send_signal(signal.SIGCONT)
    assert run.status == "completed"


def test_a_worker_that_finds_no_broker_works_all_the_same(
    worker_env: dict[str, str], peer: Peer, tmp_path: Path
) -> None:
    need(valkey.available)
    with valkey.valkey(tmp_path) as broker:
        gone = broker.address
    with worker(worker_env | {"CELERY_BROKER_URL": gone}):
        run = start(peer, "celery", step("a"), step("b"))
        until(run)
    assert run.status == "completed"


@pytest.mark.parametrize("pool", ["threads", "prefork", "solo"])
def test_a_worker_of_any_pool_does_the_work_itself(worker_env: dict[str, str], peer: Peer, pool: str) -> None:
    celery = ("-m", "celery", "-A", "zen_project", "worker", "-B", "-l", "warning", "-c", "2", "-P", pool)
    with worker(worker_env, *celery):
        pause = {"step_id": "pause", "forward_action": {"type": "wait", "seconds": 0.5}}
        run = start(peer, "celery", step("a"), pause, step("b"))
        until(run)
    assert run.status == "completed" and len(peer.calls) == 2


@pytest.mark.parametrize("pool", ["threads", "prefork"])
@pytest.mark.parametrize("beat", [False, True], ids=["no schedule", "a schedule of the site's own"])
def test_nothing_outlives_a_worker_that_is_killed(
    worker_env: dict[str, str], tmp_path: Path, pool: str, beat: bool
) -> None:
    env = worker_env
    if beat:
        own = "from zen_project.settings import *\n"
        own += "CELERY_BEAT_SCHEDULE = {'own': {'task': 'orchestration.relay', 'schedule': 1.0}}\n"
        (tmp_path / "own_settings.py").write_text(own)
        env = worker_env | {"DJANGO_SETTINGS_MODULE": "own_settings", "PYTHONPATH": str(tmp_path)}
    celery = ("-m", "celery", "-A", "zen_project", "worker", "-B", "-l", "warning", "-c", "2", "-P", pool)
    with worker(env, *celery) as started:
        if beat:
            eventually(lambda: len(members(started)) >= 2)
        os.kill(started.process.pid, signal.SIGKILL)
        started.process.wait(PATIENCE_SECONDS)
        eventually(lambda: members(started) == [])


def members(started: WorkerProcess) -> list[int]:
    """The living processes of its session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == started.process.pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.only_on("postgresql")
def test_a_worker_whose_clock_runs_ahead_takes_nothing_from_others(
    worker_env: dict[str, str], peer: Peer, tmp_path: Path
) -> None:
    """The processes on one SQLite file have one clock."""
    (tmp_path / "sitecustomize.py").write_text(AHEAD)
    for n in range(4):
        peer.delay[f"/things/a{n}"] = 8.0
    ahead = worker_env | {"PYTHONPATH": str(tmp_path)}
    with worker(worker_env), worker(ahead):
        runs = [start(peer, "celery", step(f"a{n}")) for n in range(4)]
        pause = {"step_id": "pause", "forward_action": {"type": "wait", "seconds": 20}}
        waiting = start(peer, "celery", pause, step("late"))
        for run in runs:
            until(run)
        assert len(peer.calls) == 4 and {run.status for run in runs} == {"completed"}
        until(waiting)
    fired = waiting.events.get(kind="timer.wait").at
    assert fired - waiting.created_at >= timedelta(seconds=20)
    assert Command.objects.filter(tries__gt=1).count() == 0


AHEAD = """
import datetime, time
_time, _real = time.time, datetime.datetime
time.time = lambda: _time() + 10
class Ahead(_real):
    @classmethod
    def now(cls, tz=None):
        return _real.now(tz) + datetime.timedelta(seconds=10)
datetime.datetime = Ahead
"""
