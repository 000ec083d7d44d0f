"""kill -9 and worse, with real workers of the own engine: nothing is lost, no effect happens twice."""

from __future__ import annotations

import time

import pytest
import redis

from orchestration.models import Command, Run
from orchestration.selectors import run_view
from tests.contract.hosts import until
from tests.contract.sagas import start, step
from tests.crash.workers import worker
from tests.peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)


def in_hand(peer: Peer) -> object:
    return lambda run: peer.at_once > 0


def once_per_key(peer: Peer) -> bool:
    return set(peer.effects.values()) == {1}


def test_a_worker_killed_in_the_middle_of_a_step_is_replaced(worker_env: dict[str, str], peer: Peer) -> None:
    peer.delay["/things/b"] = 1.5
    with worker(worker_env) as first:
        run = start(peer, "celery", step("a"), step("b"), step("c"))
        until(run, lambda r: peer.at_once > 0 and "/things/a" in peer.things)
        first.kill()
        killed = time.monotonic()
        with worker(worker_env):
            until(run, lambda r: len([c for c in peer.calls if c[1] == "/things/b"]) == 2, seconds=30)
            resumed = time.monotonic() - killed
            until(run)
    assert run.status == "completed" and once_per_key(peer) and resumed < 30
    assert Command.objects.get(step_id="b").detail["possibly_repeated"] is True


def test_a_worker_killed_during_the_compensation_is_replaced(worker_env: dict[str, str], peer: Peer) -> None:
    peer.behave("/things/c", 422)
    with worker(worker_env) as first:
        run = start(peer, "celery", step("a"), step("b"), step("c"))
        peer.delay["/things/b"] = 0.8
        until(run, lambda r: r.status == "compensating" and peer.at_once > 0)
        first.kill()
        with worker(worker_env):
            until(run)
    assert run.status == "rolled_back" and peer.things == {}
    undone = peer.methods("DELETE")
    assert undone[-1] == "/things/a" and "/things/b" in undone


def test_two_workers_share_the_work_and_repeat_nothing(worker_env: dict[str, str], peer: Peer) -> None:
    patient = worker_env | {"ZEN_WORKER_LEASE_SECONDS": "20"}  # a machine under load is no dead worker
    with worker(patient), worker(patient):
        runs = [start(peer, "celery", step(f"a{n}"), step(f"b{n}"), step(f"c{n}")) for n in range(15)]
        for run in runs:
            until(run, seconds=60)
    assert {run.status for run in runs} == {"completed"} and once_per_key(peer)
    assert len(peer.calls) == 45


def test_a_flushed_broker_loses_nothing(worker_env: dict[str, str], peer: Peer, valkey_url: str) -> None:
    with worker(worker_env):
        runs = [start(peer, "celery", step(f"a{n}"), step(f"b{n}")) for n in range(5)]
        redis.Redis.from_url(valkey_url).flushall()
        for run in runs:
            until(run, seconds=40)
    assert {run.status for run in runs} == {"completed"} and once_per_key(peer)


def test_a_result_that_comes_after_the_lease_is_refused(worker_env: dict[str, str], peer: Peer) -> None:
    peer.delay["/things/a"] = 1.0
    with worker(worker_env) as zombie:
        run = start(peer, "celery", step("a"), step("b"))
        until(run, lambda r: peer.at_once > 0)
        zombie.pause()
        with worker(worker_env):
            until(run)
            ended = run_view(run)
            zombie.resume()
            time.sleep(4)
            run = Run.objects.get(pk=run.pk)
            assert run_view(run) == ended and run.status == "completed" and once_per_key(peer)
