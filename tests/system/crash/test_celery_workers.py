"""kill -9 and worse, with real workers of the own engine: nothing is lost, no effect happens twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from celery import Celery

from foundation.clock import now
from orchestration.models import Command, Run, Worker
from orchestration.runs.queries import run_view
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.support.servers.fixtures import need
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.workers import assert_the_repeat_is_told, worker
from zen_project.config.broker import transport_options
from zen_project.embedded import valkey

pytestmark = pytest.mark.django_db(transaction=True)


PATIENT = {"ZEN_WORKER_LEASE_SECONDS": "60"}
"""A machine under load is no dead worker: for what nobody is to take over."""


def once_per_key(peer: Peer) -> bool:
    return set(peer.effects.values()) == {1}


def test_a_worker_killed_in_the_middle_of_a_step_is_replaced(worker_env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/b")
    with worker(worker_env) as first:
        run = start(peer, "celery", step("a"), step("b"), step("c"))
        until(run, lambda r: peer.held("POST", "/things/b") == 1)
        assert why(run) == ["step 'b' is running, attempt 1"]
        first.kill()
        until(run, lambda r: not Worker.objects.filter(lease_until__gt=now()).exists())
        said = "step 'b' is running, attempt 1; its worker is gone, and none runs now: celery -A zen_project worker -B"
        assert why(run) == [said]
        with worker(worker_env):
            until(run, lambda r: peer.held("POST", "/things/b") == 2)
            peer.let_go()
            until(run)
    assert run.status == "completed" and once_per_key(peer)
    assert Command.objects.get(step_id="b").detail["possibly_repeated"] is True
    assert_the_repeat_is_told(run)


def test_a_worker_killed_during_the_compensation_is_replaced(worker_env: dict[str, str], peer: Peer) -> None:
    peer.say("/things/c", 422)
    peer.hold("DELETE", "/things/b")
    with worker(worker_env) as first:
        run = start(peer, "celery", step("a"), step("b"), step("c"))
        until(run, lambda r: peer.held("DELETE", "/things/b") == 1)
        first.kill()
        peer.let_go()
        with worker(worker_env):
            until(run)
    assert run.status == "rolled_back" and peer.things == {}
    undone = peer.methods("DELETE")
    assert undone[-1] == "/things/a" and "/things/b" in undone


def test_two_workers_share_the_work_and_repeat_nothing(worker_env: dict[str, str], peer: Peer) -> None:
    patient = worker_env | PATIENT
    with worker(patient), worker(patient):
        runs = [start(peer, "celery", step(f"a{n}"), step(f"b{n}"), step(f"c{n}")) for n in range(15)]
        for run in runs:
            until(run)
    assert {run.status for run in runs} == {"completed"} and once_per_key(peer)
    assert len(peer.calls) == 45


def test_a_flushed_broker_loses_nothing(worker_env: dict[str, str], peer: Peer, valkey_url: str) -> None:
    with worker(worker_env):
        runs = [start(peer, "celery", step(f"a{n}"), step(f"b{n}")) for n in range(5)]
        redis.Redis.from_url(valkey_url).flushall()
        for run in runs:
            until(run)
    assert {run.status for run in runs} == {"completed"} and once_per_key(peer)


def test_a_result_that_comes_after_the_lease_is_refused(worker_env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    with worker(worker_env) as zombie:
        run = start(peer, "celery", step("a"), step("b"))
        until(run, lambda r: peer.held("POST", "/things/a") == 1)
        zombie.pause()
        with worker(worker_env):
            until(run, lambda r: peer.held("POST", "/things/a") == 2)
            peer.let_go()
            until(run)
            ended = run_view(run)
            zombie.resume()
            zombie.terminate()  # it ends when it has tried to write what it had in hand
            run = Run.objects.get(pk=run.pk)
            assert run_view(run) == ended and run.status == "completed" and once_per_key(peer)


def test_a_worker_killed_between_two_steps_is_replaced(worker_env: dict[str, str], peer: Peer) -> None:
    pause = {"step_id": "pause", "dependencies": ["a"], "forward_action": {"type": "wait", "seconds": 1}}
    with worker(worker_env) as first:
        run = start(peer, "celery", step("a"), pause, step("b", ["pause"]))
        until(run, lambda r: run_view(r)["status"] == "waiting")
        first.kill()
        with worker(worker_env):
            until(run)
    assert run.status == "completed" and once_per_key(peer) and len(peer.calls) == 2


def test_bells_and_sweeps_that_come_many_times_repeat_nothing(worker_env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    nudge = nudger(worker_env["CELERY_BROKER_URL"])
    with worker(worker_env | PATIENT):
        runs = [start(peer, "celery", step("a", []), step("b", []), step("c", ["a", "b"])) for _ in range(5)]
        for name in ("work", "sweep", "relay") * 20:
            nudge(f"orchestration.{name}")
        peer.let_go()
        for run in runs:
            until(run)
    assert {run.status for run in runs} == {"completed"} and once_per_key(peer)
    assert len(peer.calls) == 15


def test_a_broker_that_is_killed_and_comes_back_loses_nothing(
    worker_env: dict[str, str], peer: Peer, tmp_path: Path
) -> None:
    need(valkey.available)
    broker = valkey.valkey(tmp_path)
    address = urlsplit(broker.address)
    env = worker_env | {"CELERY_BROKER_URL": broker.address}
    peer.hold("POST", "/things/a")
    with worker(env):
        before = start(peer, "celery", step("a"), step("b"))
        until(before, lambda r: peer.held("POST", "/things/a") == 1)
        broker.kill()
        peer.let_go()
        during = start(peer, "celery", step("c"), step("d"))
        until(before)
        with valkey.valkey(tmp_path, port=address.port, password=address.password) as again:
            after = start(peer, "celery", step("e"), step("f"))
            until(during)
            until(after)
            consumed(again.address)
    assert {before.status, during.status, after.status} == {"completed"} and once_per_key(peer)


def nudger(broker: str) -> Callable[[str], object]:
    app = Celery(broker=broker, set_as_current=False)  # else it is this thread's in every test that follows
    app.conf.broker_transport_options = transport_options(broker)
    return partial(app.send_task, ignore_result=True)


def consumed(broker: str) -> None:
    """The worker takes messages from the new broker: a bell that is rung there is heard."""
    nudger(broker)("orchestration.relay")
    wait_until(lambda: not redis.Redis.from_url(broker).llen("zen:celery"), "the messages stay where they are")


def test_a_worker_told_to_stop_finishes_its_step_and_takes_no_other(worker_env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    with worker(worker_env | PATIENT) as first:
        run = start(peer, "celery", step("a"), step("b"))
        until(run, lambda r: peer.held("POST", "/things/a") == 1)
        first.ask_to_stop()
        first.until_it_says("Warm shutdown")
        peer.let_go()
        assert first.wait() == 0, first.output()
        assert [row["status"] for row in run_view(run)["steps"]] == ["succeeded", "running"], first.output()
        assert not Worker.objects.filter(engine="celery").exists()
        with worker(worker_env):
            until(run)
    assert run.status == "completed" and once_per_key(peer) and len(peer.calls) == 2
