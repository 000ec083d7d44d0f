"""A database that goes away, or whose answers are lost: nothing is lost, nothing that ended is performed again."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection

from orchestration.ledger.live_workers import outages
from orchestration.models import Command, Run, Worker
from tests.support.peer import Peer
from tests.support.servers.proxy import Proxy, before
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.locking import locked
from tests.system.crash.workers import worker

pytestmark = pytest.mark.django_db(transaction=True)
eventually = partial(wait_until, what="what the line that waits says")

LONG = 25.0
"""Seconds: longer than SQLite waits for its writer (20), and than any lease."""

Through = tuple[Proxy, dict[str, str]]


@pytest.fixture
def through(worker_env: dict[str, str]) -> Iterator[Through]:
    """A proxy before PostgreSQL, and the environment of workers that go through it."""
    with before(worker_env["DATABASE_URL"]) as (proxy, url):
        yield proxy, worker_env | {"DATABASE_URL": url}


def repeated(peer: Peer) -> dict[str, int]:
    """Keys that were called more than once."""
    return {key: count for key, count in Counter(key for _, _, key in peer.calls).items() if count > 1}


@pytest.mark.only_on("postgresql")
def test_a_claim_whose_answer_was_lost_is_found_by_its_living_worker(through: Through, peer: Peer) -> None:
    proxy, env = through
    with worker(env):
        proxy.cut_every = 7
        runs = [start(peer, "celery", step(f"a{n}"), step(f"b{n}")) for n in range(30)]
        for run in runs:
            until(run)
        proxy.cut_every = 0
    assert proxy.cuts >= 5, "the proxy cut too little for this to show anything"
    assert {run.status for run in runs} == {"completed"}
    assert repeated(peer) == {} and len(peer.calls) == 60
    assert set(Command.objects.filter(kind="run_action").values_list("tries", flat=True)) == {1}


@pytest.mark.only_on("postgresql")
def test_known_results_wait_for_a_database_that_is_away_and_no_other_worker_repeats_them(
    through: Through, peer: Peer
) -> None:
    """Both workers are cut off for longer than a lease, with calls in flight; both come back at once."""
    proxy, env = through
    for n in range(8):
        peer.delay[f"/things/a{n}"] = 2.0
    with worker(env), worker(env):
        runs = [start(peer, "celery", step(f"a{n}"), step(f"b{n}")) for n in range(8)]
        eventually(lambda: peer.at_once == 8)
        proxy.shut()
        eventually(lambda: len(peer.calls) == 8 and peer.at_once == 0)
        lapsed = time.monotonic() + 2 * float(env["ZEN_WORKER_LEASE_SECONDS"])
        eventually(lambda: time.monotonic() > lapsed)
        proxy.let_through()
        for run in runs:
            until(run)
        eventually(lambda: any("outage" in worker.detail for worker in Worker.objects.all()))
    assert {run.status for run in runs} == {"completed"} and repeated(peer) == {}
    assert set(Command.objects.filter(kind="run_action").values_list("tries", flat=True)) == {1}


@pytest.mark.only_on("postgresql")
def test_every_part_of_an_idle_worker_works_at_once_when_the_database_is_back(through: Through, peer: Peer) -> None:
    proxy, env = through
    with worker(env) as idle:
        until(start(peer, "celery", step("a")))
        proxy.shut()
        eventually(lambda: "lease fails" in idle.output() and "notifications.deliver fails" in idle.output())
        proxy.let_through()
        eventually(lambda: all("failing" not in one.detail for one in Worker.objects.all()))
        pause = {"step_id": "pause", "forward_action": {"type": "wait", "seconds": 1}}
        run = start(peer, "celery", pause, step("b"))
        until(run)
        assert "Traceback" not in idle.output() and idle.process.poll() is None
    assert run.status == "completed"


@pytest.mark.only_on("postgresql")
@pytest.mark.timeout(400)
def test_connections_that_fall_silent_without_being_closed_are_given_up(through: Through, peer: Peer) -> None:
    """Those of every thread of two workers, with calls in flight."""
    proxy, env = through
    for n in range(4):
        peer.hold("POST", f"/things/a{n}")
    with worker(env) as one, worker(env) as other:
        runs = [start(peer, "celery", step(f"a{n}"), step(f"b{n}")) for n in range(4)]
        eventually(lambda: peer.at_once == 4)
        assert proxy.silence() >= 8
        peer.let_go()
        for run in runs:
            until(run)
        until(start(peer, "celery", step("c")))
        assert all("fell silent" in process.output() for process in (one, other))
        eventually(lambda: any("fell silent" in words for words in outages()))
    assert {run.status for run in runs} == {"completed"} and repeated(peer) == {}
    assert set(Command.objects.filter(kind="run_action").values_list("tries", flat=True)) == {1}


@pytest.mark.only_on("postgresql")
@pytest.mark.timeout(400)
def test_a_table_that_is_locked_for_long_is_no_silence(worker_env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    with worker(worker_env) as only:
        run = start(peer, "celery", step("a"), step("b"))
        until(run, lambda _: peer.held("POST", "/things/a") == 1)
        with locked(45):
            peer.let_go()
        until(run)
        assert "fell silent" not in only.output()
    assert run.status == "completed" and repeated(peer) == {}
    assert set(run.commands.filter(kind="run_action").values_list("tries", flat=True)) == {1}


@pytest.mark.only_on("sqlite")
def test_a_known_result_waits_for_another_writer_of_sqlite(worker_env: dict[str, str], peer: Peer) -> None:
    peer.delay["/things/a"] = 1.0
    quick = worker_env | {"ZEN_WORKER_LEASE_SECONDS": "2"}
    with worker(quick), worker(quick):
        run = start(peer, "celery", step("a"), step("b"))
        until(run, lambda _: peer.at_once > 0)
        name = str(connection.settings_dict["NAME"])
        other = sqlite3.connect(name, isolation_level=None, timeout=60)
        other.execute("BEGIN IMMEDIATE")
        threading.Event().wait(LONG)
        other.execute("ROLLBACK")
        other.close()
        until(run)
    assert run.status == "completed" and repeated(peer) == {}
    assert Run.objects.get(pk=run.pk).commands.filter(tries__gt=1).count() == 0
