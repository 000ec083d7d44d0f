"""Mail, through a real SMTP server."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from notifications.delivery.worker import deliver_due
from notifications.models import Channel
from tests.notifications.mail_server import Mailbox, part
from tests.notifications.scenes import asked, make_due, only, person, user

pytestmark = pytest.mark.django_db
ADA = "ada@example.com"


def test_a_person_gets_text_and_html_with_their_own_link(mailbox: Mailbox) -> None:
    asked(people=[person(user(), "https://zen.test/a/17?for=ada")])
    assert deliver_due() == 1
    mail = mailbox.only()
    assert (mail["subject"], mail["to"], mail["from"]) == ("Deploy to production?", ADA, "Zen <zen@example.com>")
    assert "Version **7** waits." in part(mail, "plain") and "https://zen.test/a/17?for=ada" in part(mail, "plain")
    assert "<strong>7</strong>" in part(mail, "html") and 'href="https://zen.test/a/17?for=ada"' in part(mail, "html")
    assert mail["auto-submitted"] == "auto-generated"
    row = only()
    assert (row.status, row.attempts, row.error) == ("sent", 1, "") and row.sent_at is not None
    channel = Channel.objects.get()
    assert channel.last_ok_at is not None and channel.last_error == ""
    assert deliver_due() == 0 and len(mailbox.mails) == 1


def test_a_refused_address_is_dead_at_once(mailbox: Mailbox) -> None:
    mailbox.refuse(ADA, "550 no such person")
    asked(user())
    deliver_due()
    row = only()
    assert (row.status, row.attempts) == ("dead", 1) and "no such person" in row.error
    assert "no such person" in Channel.objects.get().last_error


def test_a_busy_server_is_asked_again_and_the_mail_keeps_its_id(mailbox: Mailbox) -> None:
    mailbox.refuse(ADA, "450 greylisted")
    asked(user())
    deliver_due()
    row = only()
    assert (row.status, row.attempts) == ("queued", 1) and "greylisted" in row.error
    assert row.due_at > row.created_at
    make_due()
    deliver_due()
    assert (only().status, only().attempts, only().error) == ("sent", 2, "")
    assert mailbox.only()["message-id"] == f"<delivery-{row.pk}@example.com>"


def test_a_server_that_is_down_costs_nothing_but_time(mailbox: Mailbox, settings: Settings) -> None:
    settings.EMAIL_PORT = 1
    settings.ZEN_NOTIFY_ATTEMPTS = 2
    asked(user())
    deliver_due()
    assert only().status == "queued" and "no mail server" in only().error
    make_due()
    deliver_due()
    assert (only().status, only().attempts) == ("dead", 2)


def test_without_a_mail_server_it_says_so(settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    asked(user())
    deliver_due()
    assert only().status == "dead" and "EMAIL_URL" in only().error


def test_a_channel_of_mail_has_an_address_of_its_own(mailbox: Mailbox) -> None:
    channel = Channel(name="email://devops@company.com", kind="email")
    channel.full_clean()
    channel.save()
    asked(channels=["email://devops@company.com"])
    deliver_due()
    assert mailbox.only()["to"] == "devops@company.com"


def test_a_title_cannot_add_headers(mailbox: Mailbox) -> None:
    from notifications.message import Message

    asked(user(), message=Message(title="Hello\r\nBcc: eve@example.com", text="x"))
    deliver_due()
    assert mailbox.only()["subject"] == "Hello Bcc: eve@example.com" and mailbox.only()["bcc"] is None
