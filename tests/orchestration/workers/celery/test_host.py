"""The threads of a worker: each looks after itself and its connection, and one that dies is begun anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from foundation.clock import now
from monitoring.probes.work import workers
from orchestration.engines.celery import claims, nudge
from orchestration.models import Command, Run, Worker
from orchestration.runs import start_run
from orchestration.workers import lease
from orchestration.workers.background_service import Health, Service
from orchestration.workers.celery.host import Host
from orchestration.workers.in_hand import IN_HAND
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)
eventually = partial(wait_until, what="what the line that waits says")


def started(step: str = "a") -> Run:
    act = {"type": "api_call", "url": "http://127.0.0.1:1/", "method": "POST"}
    steps = [{"step_id": step, "forward_action": act, "retry_count": 0}]
    run, _ = start_run(definition={"saga_id": "host", "steps": steps}, actor=ADA, engine="celery")
    return run


def claimed(worker: str) -> Command:
    run = started()
    mine = Command.objects.filter(run=run, kind="run_action")
    mine.update(status=Command.RUNNING, worker=worker, epoch=1, tries=1)
    return mine.get()


@pytest.fixture
def hosted(settings: Settings) -> Any:
    settings.ZEN_WORKER_LEASE_SECONDS = 0.6
    settings.ZEN_SWEEP_SECONDS = 0.1
    made: list[Host] = []

    def make(**services: Callable[[], object]) -> Host:
        host = Host({"default": 1}, {name: (act, 0.05) for name, act in services.items()})
        host.start()
        made.append(host)
        return host

    yield make
    for host in made:
        host.stop()


def test_a_service_whose_connection_broke_works_at_the_same_pass() -> None:
    calls = []

    def act() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the connection is closed")

    health = Health()
    service = Service("x", act, every=1, stopping=threading.Event(), health=health)
    service._once()
    assert len(calls) == 2 and health.told() == {}


def test_one_that_fails_goes_on_and_doctor_says_so_and_since_when(hosted: Any) -> None:
    broken, goes = threading.Event(), threading.Event()
    broken.set()

    def act() -> None:
        if broken.is_set():
            raise OperationalError("the connection is closed")
        goes.set()

    host = hosted(relay=act)
    eventually(lambda: "failing" in Worker.objects.get(pk=host.name).detail)
    found = workers()
    assert found.state == "warning" and f"relay of worker {host.name} fails since " in found.detail
    assert "the connection is closed" in found.detail and found.remedy
    broken.clear()
    assert goes.wait(PATIENCE_SECONDS)
    eventually(lambda: "failing" not in Worker.objects.get(pk=host.name).detail)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("which", ["lease", "sweep", "timers", "relay", "action default-0"])
def test_a_thread_that_dies_is_begun_anew_and_is_seen(hosted: Any, monkeypatch: Any, which: str) -> None:
    host = hosted(relay=lambda: None)
    eventually(lambda: len(host._threads) == 5)
    dead = host._threads[which]

    def die() -> None:
        raise SystemExit

    if which.startswith("action"):
        monkeypatch.setattr(claims, "anything_due", lambda *_: die())
        nudge.nudge_all()
    else:
        dead.act = die
        dead.wake()
    eventually(lambda: not dead.is_alive())
    monkeypatch.undo()
    eventually(lambda: host._threads[which] is not dead and host._threads[which].is_alive())
    eventually(lambda: "was restarted" in workers().detail)


def test_a_row_under_our_name_that_nobody_holds_becomes_ready_and_costs_no_try(hosted: Any) -> None:
    row = claimed(lease.worker_name())
    assert lease.free_the_unheld(lease.worker_name()) == 0
    assert lease.free_the_unheld(lease.worker_name()) == 1
    row.refresh_from_db()
    assert (row.status, row.tries, row.worker) == (Command.READY, 0, "")


def test_only_our_own_rows_are_freed_so() -> None:
    row = claimed("somebody else")
    lease.free_the_unheld(lease.worker_name())
    lease.free_the_unheld(lease.worker_name())
    row.refresh_from_db()
    assert row.status == Command.RUNNING


def test_many_threads_give_back_at_once() -> None:
    """And one whose giving back fails is found by the keeper later, with the try that it cost."""
    name = lease.worker_name()
    rows = [claimed(name) for _ in range(16)]
    IN_HAND.taken((row.pk, row.epoch) for row in rows)
    failed: list[Exception] = []

    def give(row: Command) -> None:
        try:
            lease.give_back(row)
        except Exception as error:  # noqa: BLE001 - it would kill a thread of the worker
            failed.append(error)
        finally:
            from django.db import connection

            connection.close()

    threads = [threading.Thread(target=give, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert failed == []
    assert set(Command.objects.filter(kind="run_action").values_list("status", flat=True)) == {Command.READY}


def test_a_giving_back_that_the_database_does_not_take_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    name = lease.worker_name()
    row = claimed(name)
    IN_HAND.taken([(row.pk, row.epoch)])

    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr("django.db.models.query.QuerySet.update", away)
        lease.give_back(row)
    lease.free_the_unheld(name)
    assert lease.free_the_unheld(name) == 1
    row.refresh_from_db()
    assert (row.status, row.tries) == (Command.READY, 1)


def test_a_host_frees_only_after_a_gap_has_been_made_up_for(hosted: Any, settings: Settings) -> None:
    """A lapsed lease beside a living keeper: the sweep waits a lease's time after it could not look."""
    settings.ZEN_WORKER_LEASE_SECONDS = 30
    host = Host({"default": 1})
    host._steady.renewed(0.0)  # long ago
    Worker.objects.create(
        name="other", engine="celery", started_at=now(), lease_until=now() - timedelta(seconds=60), detail={}
    )
    row = claimed("other")
    host._sweep()
    row.refresh_from_db()
    assert row.status == Command.RUNNING
