"""A server that answers a byte at a time keeps every limit of a single read: what it is sent goes out once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from foundation.clock import now
from foundation.outbox import worker
from notifications.channels import smtp
from notifications.delivery.worker import deliver_due
from notifications.models import Delivery
from tests.notifications.scenes import asked, lease_over, only, user
from tests.notifications.trickling_mail import TricklingMail, trickling_mail
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow(settings: Settings) -> Iterator[TricklingMail]:
    with trickling_mail() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", running.port, 15
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.DEFAULT_FROM_EMAIL = "Zen <zen@example.com>"
        yield running


def delivered() -> int:
    try:
        return deliver_due(limit=1)  # this worker takes no other, nor the same again while the test ends its claim
    finally:
        connection.close()


@pytest.mark.both_databases
def test_a_mail_that_takes_longer_than_a_claim_goes_out_once(
    slow: TricklingMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "KEEP_SECONDS", 0.05)
    asked(user())
    kept = Delivery.objects.filter(lease_until__gt=now() + timedelta(seconds=60))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(delivered)
        assert slow.greeted.wait(PATIENCE_SECONDS)
        for _ in range(5):  # more often than a row is attempted
            lease_over()
            wait_until(kept.exists, "a claim that is kept")
            assert deliver_due() == 0, "another worker has nothing to do"
        slow.let_go.set()
        assert first.result(PATIENCE_SECONDS) == 1
    assert deliver_due() == 0
    assert (only().status, only().attempts, only().error, len(slow.taken)) == ("sent", 1, "", 1)


def test_a_mail_server_that_goes_on_and_on_is_left_in_the_end(
    slow: TricklingMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 1.0)
    asked(user())
    assert deliver_due() == 1 and not slow.let_go.is_set()
    assert (only().status, only().attempts) == ("queued", 1) and "it took longer than 1 s" in only().error
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def test_a_mail_that_was_taken_in_time_leaves_nothing_behind(slow: TricklingMail) -> None:
    slow.let_go.set()
    asked(user())
    assert deliver_due() == 1 and only().status == "sent" and len(slow.taken) == 1
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
