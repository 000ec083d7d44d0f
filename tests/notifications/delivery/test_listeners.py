"""Other rooms hear how it ended, after it is stored."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import OperationalError
from pytest_django import Settings

from foundation.clock import now
from notifications.delivery.worker import deliver_due
from notifications.message import DeliveryEnded, Message
from notifications.models import Delivery
from notifications.services import supersede
from tests.notifications.mail_server import Mailbox
from tests.notifications.scenes import asked, only, slack_people, user
from tests.notifications.slack_api import SlackApi

pytestmark = pytest.mark.django_db
heard: list[tuple[DeliveryEnded, list[str]]] = []


def listen(ended: DeliveryEnded) -> None:
    """With the statuses that are in the database at that moment."""
    heard.append((ended, list(Delivery.objects.order_by("id").values_list("status", flat=True))))


def break_down(ended: DeliveryEnded) -> None:
    raise RuntimeError("the listener broke")


def lose_the_database(ended: DeliveryEnded) -> None:
    heard.append((ended, []))
    raise OperationalError("the connection is gone")


@pytest.fixture(autouse=True)
def listening(settings: Settings) -> None:
    heard.clear()
    settings.ZEN_DELIVERY_LISTENERS = [f"{__name__}.break_down", f"{__name__}.listen"]


def test_each_end_is_heard_and_a_broken_listener_loses_nothing(
    slack: SlackApi, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    slack_people()
    asked(user("eve"))
    ada = user(slack_id="U0GONE", channels=["slack://people", "email://people"])
    asked(ada, n=2)
    with caplog.at_level(logging.ERROR):
        deliver_due()
    found = [(e.subject, e.kind, e.channel, e.sent) for e, _ in heard if e.user_id == ada.pk]
    assert found == [
        ("approval:17", "asked", "slack://people", False),
        ("approval:17", "asked", "email://people", True),
    ]
    assert all("sent" in statuses or "dead" in statuses for _, statuses in heard)
    assert "a listener failed" in caplog.text
    assert not Delivery.objects.filter(heard=False).exists()


def test_what_travelled_together_is_heard_of_one_by_one(mailbox: Mailbox, settings: Settings) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 20
    ada = user()
    for n in (17, 18):
        asked(ada, subject=f"approval:{n}")
    deliver_due()
    assert [(e.subject, e.sent) for e, _ in heard] == [("approval:17", True), ("approval:18", True)]
    assert len(mailbox.mails) == 1


def test_a_change_is_no_delivery(slack: SlackApi) -> None:
    slack_people()
    asked(user(slack_id="U0ADA", channels=["slack://people"]))
    deliver_due()
    supersede(subject="approval:17", message=Message(title="Done", text=""))
    deliver_due()
    assert slack.calls == ["chat.postMessage", "chat.update"] and len(heard) == 1


def test_an_end_that_a_lost_worker_told_nobody_is_told_later(mailbox: Mailbox) -> None:
    asked(user())
    Delivery.objects.update(status="sent", sent_at=now(), ended_at=now(), heard=False)
    deliver_due()
    assert heard == [], "its worker may be about to"
    Delivery.objects.update(ended_at=now() - timedelta(minutes=2))
    deliver_due()
    deliver_due()
    assert [e.sent for e, _ in heard] == [True] and only().heard


@pytest.mark.django_db(transaction=True)
def test_an_end_is_told_again_where_the_database_failed_a_listener(settings: Settings, mailbox: Mailbox) -> None:
    settings.ZEN_DELIVERY_LISTENERS = [f"{__name__}.lose_the_database"]
    asked(user("eve", email="eve@example.org"))
    deliver_due()
    assert len(heard) == 1 and not only().heard
    Delivery.objects.update(ended_at=now() - timedelta(minutes=2))
    settings.ZEN_DELIVERY_LISTENERS = [f"{__name__}.listen"]
    deliver_due()
    deliver_due()
    assert len(heard) == 2 and only().heard


@pytest.mark.django_db(transaction=True)
def test_one_that_the_database_always_fails_is_given_up_after_a_day(settings: Settings, mailbox: Mailbox) -> None:
    settings.ZEN_DELIVERY_LISTENERS = [f"{__name__}.lose_the_database"]
    asked(user("eve", email="eve@example.org"))
    deliver_due()
    Delivery.objects.update(ended_at=now() - timedelta(days=2))
    deliver_due()
    deliver_due()
    assert len(heard) == 2 and only().heard
