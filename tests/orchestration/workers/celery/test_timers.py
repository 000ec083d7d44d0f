"""Timers and alarms that were claimed and could not be brought to their end are made up for."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import pytest
from django.db import OperationalError, connection

from foundation.clock import now
from foundation.db import group_commit
from orchestration.engines.celery.advance import ALARM
from orchestration.models import Command, Run
from orchestration.runs import start_run
from orchestration.workers import lease
from orchestration.workers.celery import exchange as desk
from orchestration.workers.celery import timers, worker
from orchestration.workers.celery.exchange import exchange
from tests.support.moments import over
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def started(seconds: float) -> Run:
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": seconds}}]
    run, _ = start_run(definition={"saga_id": "timers", "steps": steps}, actor=ADA, engine="celery")
    return run


def with_alarms(count: int) -> list[int]:
    rows = [
        Command(run=started(3600), kind="start_timer", timer=ALARM, attempt=0, due_at=now(), status=Command.READY)
        for _ in range(count)
    ]
    return [row.pk for row in Command.objects.bulk_create(rows)]


class Flow:
    """Rings, but not before the database is back."""

    def __init__(self) -> None:
        self.away: BaseException | None = OperationalError("the server closed the connection unexpectedly")
        self.rung: list[int] = []

    def on_timer(self, run_pk: int, at: Any) -> None:
        if self.away is not None:
            raise self.away
        self.rung.append(run_pk)


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> Flow:
    found = Flow()
    monkeypatch.setattr(timers, "flow_of", lambda kind: found)
    return found


@pytest.mark.parametrize("breaks", [OperationalError("away"), SystemExit()])
def test_all_alarms_of_a_batch_that_broke_off_ring_later(flow: Flow, breaks: BaseException) -> None:
    mine, flow.away = lease.worker_name(), breaks
    alarms = with_alarms(3)
    with pytest.raises(type(breaks)):
        timers.fire(mine)
    assert flow.rung == []
    lease.free_the_unheld(mine)
    assert lease.free_the_unheld(mine) == 3
    flow.away = None
    timers.fire(mine)
    assert len(flow.rung) == 3
    assert set(Command.objects.filter(pk__in=alarms).values_list("status", flat=True)) == {Command.DONE}


def test_an_alarm_that_waits_for_the_database_keeps_no_timer_waiting(flow: Flow) -> None:
    mine = lease.worker_name()
    run = started(0)
    worker.act(mine)  # the wait begins its timer
    with_alarms(1)
    timer = Command.objects.get(run=run, kind="start_timer")
    Command.objects.filter(pk=timer.pk).update(due_at=over())
    with pytest.raises(OperationalError):
        timers.fire(mine)
    timer.refresh_from_db()
    assert timer.status == Command.DONE


def test_an_attempt_whose_thread_ended_under_it_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = lease.worker_name()
    act = {"type": "api_call", "url": "http://127.0.0.1:1/", "method": "POST"}
    steps = [{"step_id": "a", "forward_action": act, "retry_count": 0}]
    run, _ = start_run(definition={"saga_id": "ends", "steps": steps}, actor=ADA, engine="celery")

    def ends(row: Command) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(worker, "perform", ends)
        with pytest.raises(SystemExit):
            worker.act(mine)
    lease.free_the_unheld(mine)
    assert lease.free_the_unheld(mine) == 1
    assert run.commands.get(kind="run_action").status == Command.READY


def test_a_result_whose_writer_broke_off_is_not_taken_for_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread writes for those that wait with it; should it end under that, they write for themselves."""
    mine = lease.worker_name()
    act = {"type": "api_call", "url": "http://127.0.0.1:1/", "method": "POST"}
    steps = [{"step_id": "a", "forward_action": act, "retry_count": 0}]
    run, _ = start_run(definition={"saga_id": "ends", "steps": steps}, actor=ADA, engine="celery")
    row = exchange(mine, None)
    assert row is not None
    settle, broke = desk._settle, list[int]()

    def breaks_once(slips: Any) -> None:
        if not broke:
            broke.append(1)
            raise SystemExit
        settle(slips)

    monkeypatch.setattr(desk, "_settle", breaks_once)
    submit = desk._desk.submit
    slip = desk.Submission(worker=mine, done=None, wants=False)
    other = threading.Thread(target=ending, args=(submit, slip))

    def beside(slip: desk.Submission) -> None:
        """As if the other thread had come first, and served this one too."""
        if not broke:
            desk._desk._queue.append(ticket := group_commit._Ticket(slip))
            other.start()
            other.join()
            assert ticket.served.is_set()
        else:
            submit(slip)

    monkeypatch.setattr(desk._desk, "submit", beside)
    done = worker.perform(row)
    exchange(mine, done, wants=False)
    assert broke and run.commands.get(kind="run_action").status == Command.DONE


def ending(submit: Any, slip: desk.Submission) -> None:
    with contextlib.suppress(SystemExit):
        submit(slip)
    connection.close()
