"""When nobody looked after deliveries is known, by the database's clock."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from foundation.clock import now
from notifications.delivery import outages
from notifications.delivery.outages import looked, outages_after
from notifications.delivery.worker import deliver_due
from notifications.models import Outage, Watch
from tests.notifications.mail_server import Mailbox
from tests.notifications.scenes import asked, user
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def last_seen(ago: timedelta) -> None:
    Watch.objects.update_or_create(pk=1, defaults={"seen_at": now() - ago})


@pytest.mark.both_databases
def test_a_site_that_never_looked_was_not_away() -> None:
    begun = now() - MINUTE
    assert outages_after(begun) == []
    deliver_due()
    assert Watch.objects.count() == 1 and not Outage.objects.exists() and outages_after(begun) == []


@pytest.mark.both_databases
def test_the_first_look_after_a_pause_writes_it_down() -> None:
    last_seen(10 * MINUTE)
    before = Watch.objects.get().seen_at
    deliver_due()
    outage = Outage.objects.get()
    assert outage.since == before and outage.until == Watch.objects.get().seen_at
    assert outages_after(outage.since - MINUTE) == [(outage.since, outage.until)] == outages_after(outage.since)
    assert outages_after(outage.until) == [], "what began then has lost nothing"


def test_it_is_known_while_it_lasts() -> None:
    """Whoever comes first after a stop: a clock that rings, or the sweep."""
    last_seen(10 * MINUTE)
    ((since, until),) = outages_after(now() - 5 * MINUTE)
    assert since == Watch.objects.get().seen_at and until > since
    assert not Outage.objects.exists()


@pytest.mark.parametrize("sweep", [1, 60])
def test_looks_that_are_seldom_are_no_outage(settings: Settings, sweep: float) -> None:
    settings.ZEN_SWEEP_SECONDS = sweep
    last_seen(outages.gap() - timedelta(seconds=5))
    looked()
    assert not Outage.objects.exists()


def test_it_writes_no_more_than_every_other_second() -> None:
    last_seen(timedelta(seconds=1))
    before = Watch.objects.get().seen_at
    looked()
    assert Watch.objects.get().seen_at == before


@pytest.mark.both_databases
def test_several_that_come_back_at_once_write_it_once() -> None:
    last_seen(10 * MINUTE)
    together = threading.Barrier(4)

    def look() -> None:
        together.wait(PATIENCE_SECONDS)
        try:
            looked()
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Outage.objects.count() == 1


def test_old_ones_go() -> None:
    at = now()
    Outage.objects.create(since=at - outages.KEPT * 2, until=at - outages.KEPT - MINUTE)
    last_seen(10 * MINUTE)
    looked()
    assert Outage.objects.count() == 1 and Outage.objects.get().until > at - MINUTE


def test_a_slow_channel_is_no_outage(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked on while a message is on its way."""
    looks: list[int] = []
    monkeypatch.setattr("notifications.delivery.worker.looked", lambda: looks.append(1))
    asked(user())
    assert deliver_due() == 1 and len(looks) > 1
