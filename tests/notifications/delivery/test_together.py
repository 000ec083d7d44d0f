"""Several notices for one person become one message."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from notifications.delivery.worker import deliver_due
from notifications.message import Message
from notifications.models import Delivery
from notifications.services import supersede
from tests.notifications.mail_server import Mailbox, part
from tests.notifications.scenes import asked, make_due, slack_channel, slack_people, statuses, user
from tests.notifications.slack_api import SlackApi, buttons_of, text_of
from tests.support.moments import over

pytestmark = pytest.mark.django_db
DONE = Message(title="Approved by Bob", text="")


@pytest.fixture(autouse=True)
def window(settings: Settings, at_once: None) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 20


def test_a_burst_is_one_mail(mailbox: Mailbox) -> None:
    ada, bob = user("ada"), user("bob")
    for n in (17, 18, 19):
        asked(ada, subject=f"approval:{n}", message=Message(title=f"Approve {n}", text="?"))
    asked(bob, subject="approval:17", n=2)
    assert deliver_due() == 2
    mail = next(mail for mail in mailbox.mails if mail["to"] == "ada@example.com")
    assert mail["subject"] == "Approve 17 (and 2 more)"
    assert all(f"Approve {n}" in part(mail, "plain") for n in (17, 18, 19))
    assert statuses() == ["sent", "coalesced", "coalesced", "sent"]


def test_what_comes_after_the_first_went_goes_together_later(mailbox: Mailbox) -> None:
    ada = user()
    asked(ada)
    deliver_due()
    for n in (2, 3):
        asked(ada, n=n)
    assert deliver_due() == 0 and len(mailbox.mails) == 1
    make_due()
    deliver_due()
    assert len(mailbox.mails) == 2 and statuses() == ["sent", "sent", "coalesced"]


def test_what_is_urgent_goes_alone(mailbox: Mailbox) -> None:
    ada = user()
    asked(ada)
    asked(ada, n=2, urgent=True)
    deliver_due()
    assert len(mailbox.mails) == 2 and statuses() == ["sent", "sent"]


def test_a_shared_channel_gets_each_by_itself(slack: SlackApi) -> None:
    slack_channel()
    for n in (1, 2):
        asked(channels=["slack://deployments"], n=n)
    deliver_due()
    assert len(slack.shown) == 2


def test_a_settled_part_of_a_message_is_changed_and_the_others_keep_their_buttons(slack: SlackApi) -> None:
    slack_people()
    ada = user(slack_id="U0ADA", channels=["slack://people"])
    for n in (17, 18, 19):
        asked(ada, subject=f"approval:{n}")
    deliver_due()
    assert len(buttons_of(slack.only)) == 6
    supersede(subject="approval:18", message=DONE)
    deliver_due()
    assert len(buttons_of(slack.only)) == 4
    assert text_of(slack.only).count("Deploy to production?") == 2 and "Approved by Bob" in text_of(slack.only)
    supersede(subject="approval:17", message=DONE)
    deliver_due()
    assert len(buttons_of(slack.only)) == 2 and text_of(slack.only).count("Approved by Bob") == 2


def test_a_message_that_failed_leaves_out_what_was_settled_meanwhile(slack: SlackApi) -> None:
    slack_people()
    ada = user(slack_id="U0ADA", channels=["slack://people"])
    for n in (17, 18, 19):
        asked(ada, subject=f"approval:{n}")
    slack.fails(503)
    deliver_due()
    assert statuses() == ["queued", "coalesced", "coalesced"]
    supersede(subject="approval:17", message=DONE)
    make_due()
    deliver_due()
    assert text_of(slack.only).count("Deploy to production?") == 2
    assert Delivery.objects.get(notice__subject="approval:17", updates=None).status == "sent"
    for n in (18, 19):
        supersede(subject=f"approval:{n}", message=DONE)
    make_due()
    deliver_due()
    assert buttons_of(slack.only) == []


def test_a_dead_message_hands_all_its_parts_to_the_next_channel(slack: SlackApi, mailbox: Mailbox) -> None:
    slack_people()
    ada = user(slack_id="U0ADA", channels=["slack://people", "email://people"])
    asked(ada, subject="approval:16")
    Delivery.objects.all().delete()
    for n in (17, 18):
        asked(ada, subject=f"approval:{n}")
    slack.fails(error="channel_not_found")
    assert deliver_due() == 2
    assert mailbox.only()["subject"] == "Deploy to production? (and 1 more)"
    assert statuses() == ["dead", "coalesced", "sent", "coalesced"]


def test_no_more_than_twenty_go_into_one(mailbox: Mailbox) -> None:
    ada = user()
    for n in range(25):
        asked(ada, subject=f"approval:{n}")
    assert deliver_due() == 2
    assert sorted(mail["subject"].rpartition("(")[2] for mail in mailbox.mails) == ["and 19 more)", "and 4 more)"]


def test_what_waits_for_a_digest_is_not_taken_along(mailbox: Mailbox) -> None:
    ada = user(digest="daily")
    asked(ada)
    asked(ada, n=2)
    assert deliver_due() == 0
    Delivery.objects.filter(pk=Delivery.objects.earliest("id").pk).update(due_at=over())
    deliver_due()
    assert statuses() == ["sent", "queued"]
