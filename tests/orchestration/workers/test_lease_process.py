"""When the process beside a worker keeps the worker's lease."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foundation.clock import database_now
from orchestration.models import Worker
from orchestration.workers import lease_helper, lease_process
from orchestration.workers.lease_process import Lease, Watch


def a_watch() -> Watch:
    return Watch(Lease(name="w", pid=1, seconds=6.0, patience=600.0, vendor="sqlite", connect={}), 0.0)


def test_it_asks_for_nothing_while_the_keeper_renews_in_time() -> None:
    watch = a_watch()
    assert not watch.due(2.5)
    watch.hears({"renewed": True}, 2.5)
    assert not watch.due(5.0)


def test_it_renews_when_the_keeper_is_late_though_that_gives_signs_of_life() -> None:
    watch = a_watch()
    watch.hears({}, 2.9)
    assert watch.due(3.0)
    watch.renewed = 3.0
    assert not watch.due(5.9) and watch.due(6.0)


def test_a_keeper_that_is_not_heard_of_for_too_long_loses_its_lease() -> None:
    watch = a_watch()
    watch.hears({}, 10.0)
    assert watch.due(610.0) and not watch.due(610.1)
    watch.hears({}, 700.0)
    assert watch.due(700.0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_it_renews_a_row_that_is_there_and_makes_none() -> None:
    moment = database_now()
    for name in ("mine", "other"):
        Worker.objects.create(pk=name, engine="celery", started_at=moment, lease_until=moment, detail={"queues": {}})
    mine = lease_helper._lease("mine")
    lease_process.renew(mine)
    assert moment + timedelta(seconds=mine.seconds) <= Worker.objects.get(pk="mine").lease_until
    assert Worker.objects.get(pk="mine").lease_until <= database_now() + timedelta(seconds=mine.seconds)
    assert Worker.objects.get(pk="other").lease_until == moment
    Worker.objects.get(pk="mine").delete()
    lease_process.renew(mine)
    assert list(Worker.objects.values_list("pk", flat=True)) == ["other"]
