"""Alarms ring by the database's clock, whatever the clock of the Temporal server or of a worker says."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from approvals.models import Request
from approvals.requests import Ask, ask
from foundation import clock
from orchestration.engines.celery.advance import ALARM
from orchestration.engines.temporal.dto import NextTimer, TimerDue
from orchestration.models import Command
from orchestration.workers.celery import timers
from orchestration.workers.celery.exchange import claim_timers
from orchestration.workers.temporal import activities
from tests.approvals.scenes import published
from tests.system.contract.cast import account
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def request_of_bob() -> Request:
    account("bob")
    stage = {"name": "s", "who": {"users": ["bob"]}, "expire": "4h", "at_the_end": "reject"}
    published({"policy": "p", "stages": [stage]})
    return ask(given=Ask(stage="s", policy="p"), actor=ADA, engine="celery")[0]


def due_of(request: Request) -> datetime:
    assert request.next_at is not None
    return request.next_at


def on_timer_due(
    request: Request, *, database: datetime, server: datetime, monkeypatch: pytest.MonkeyPatch
) -> NextTimer:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_id=request.request_id, started_time=server)
    monkeypatch.setattr(activities, "database_now", lambda: database)
    monkeypatch.setattr(activities, "close_old_connections", lambda: None)  # it is this test's own thread
    found = environment.run(
        activities.on_timer_due, TimerDue(run_pk=request.run_id, kind="approval", at="2099-01-01T00:00:00+00:00")
    )
    request.refresh_from_db()
    return found


def test_a_server_whose_clock_is_ahead_is_told_a_later_time(
    request_of_bob: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own clock the alarm is long due: without that it would ring again at once, and again."""
    due, ahead = due_of(request_of_bob), timedelta(hours=5)
    moment = clock.database_now()
    found = on_timer_due(request_of_bob, database=moment, server=moment + ahead, monkeypatch=monkeypatch)
    assert request_of_bob.status == "pending"
    assert found == NextTimer(due=(due + ahead).isoformat(), ended=False)


def test_a_server_whose_clock_is_behind_is_told_the_time_itself(
    request_of_bob: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks like that may be a worker that was slow to take the activity up."""
    due, moment = due_of(request_of_bob), clock.database_now()
    found = on_timer_due(request_of_bob, database=moment, server=moment - timedelta(hours=5), monkeypatch=monkeypatch)
    assert found == NextTimer(due=due.isoformat(), ended=False)


def test_what_is_due_by_the_databases_clock_happens(request_of_bob: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = due_of(request_of_bob)
    found = on_timer_due(request_of_bob, database=moment, server=moment - timedelta(hours=5), monkeypatch=monkeypatch)
    assert found.ended and request_of_bob.status == "expired"


def test_an_alarm_that_was_claimed_a_moment_too_early_waits_for_it(
    request_of_bob: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = Command.objects.get(run=request_of_bob.run, timer=ALARM)
    early = timedelta(milliseconds=5)
    monkeypatch.setattr(timers, "database_now", lambda: alarm.due_at - early)
    monkeypatch.setattr("orchestration.workers.celery.exchange.now", lambda: alarm.due_at)
    (claimed,) = claim_timers("w", 10)
    timers._fire(claimed)
    again = Command.objects.get(pk=alarm.pk)
    assert (again.status, again.worker, again.due_at) == (Command.READY, "", alarm.due_at + early)
    request_of_bob.refresh_from_db()
    assert request_of_bob.status == "pending"
    monkeypatch.setattr(timers, "database_now", lambda: again.due_at)
    monkeypatch.setattr("orchestration.workers.celery.exchange.now", lambda: again.due_at)
    (claimed,) = claim_timers("w", 10)
    timers._fire(claimed)
    request_of_bob.refresh_from_db()
    assert request_of_bob.status == "expired" and Command.objects.get(pk=alarm.pk).status == Command.DONE
