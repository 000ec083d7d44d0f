"""Addresses that are not plain ASCII, or no addresses: sent as they may stand in a header, or dead at once."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from notifications.channels.addresses import as_sent
from notifications.delivery.worker import deliver_due
from tests.notifications.mail_server import Mailbox
from tests.notifications.scenes import asked, only, slack_people, statuses, user
from tests.notifications.slack_api import SlackApi

pytestmark = pytest.mark.django_db


def told(address: str) -> None:
    who = user()
    type(who).objects.filter(pk=who.pk).update(email=address)
    who.refresh_from_db()
    asked(who)
    deliver_due()


def test_a_name_that_mail_cannot_carry_is_dead_at_once_with_a_reason(mailbox: Mailbox) -> None:
    told("jörg@bücher.example")
    row = only()
    assert (row.status, row.attempts, mailbox.mails) == ("dead", 1, [])
    assert "the part before the @" in row.error and "jörg@bücher.example" in row.error


def test_a_host_in_other_letters_goes_as_punycode(mailbox: Mailbox) -> None:
    told("joerg@bücher.example")
    assert only().status == "sent"
    assert mailbox.envelopes == [("zen@example.com", ["joerg@xn--bcher-kva.example"])]
    assert b"To: joerg@xn--bcher-kva.example\r\n" in mailbox.raw[0]


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\nBcc: eve@example.com", "ada@example.com\r\nBcc: eve@example.com", "ada\n@example.com",
        "ada@example.com, eve@example.com", "Ada <eve@example.com>", "ada eve@example.com", "ada", "@example.com",
        "ada@", "ada@exa mple.com", "ada@example.com>", "a@b@example.com",
    ],
)  # fmt: skip
def test_what_is_no_single_address_reaches_nobody_and_says_so_at_once(mailbox: Mailbox, address: str) -> None:
    told(address)
    row = only()
    assert (row.status, row.attempts, mailbox.mails) == ("dead", 1, [])
    assert "e-mail address" in row.error


def test_the_next_channel_takes_over_at_once(mailbox: Mailbox, slack: SlackApi) -> None:
    slack_people()
    asked(user(email="jörg@example.com", slack_id="U0ADA"))
    deliver_due()
    assert statuses() == ["dead", "sent"] and len(slack.calls) == 1


def test_our_own_address_is_looked_at_too(mailbox: Mailbox, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Zen <zén@example.com>"
    told("ada@example.com")
    assert only().status == "dead" and only().error.startswith("EMAIL_FROM")


def test_our_own_host_goes_as_punycode(mailbox: Mailbox, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Zën <zen@bücher.example>"
    told("ada@example.com")
    mail = mailbox.only()
    assert mailbox.envelopes[0][0] == "zen@xn--bcher-kva.example" and mail["from"] == "Zën <zen@xn--bcher-kva.example>"
    assert mail["message-id"].endswith("@xn--bcher-kva.example>") and mailbox.raw[0].isascii()


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("ada+zen@example.com", "ada+zen@example.com"), ("ops@localhost", "ops@localhost"), ("a@m_1.x", "a@m_1.x"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"), ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@例え.jp", "a@xn--r8jz45g.jp"), ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_what_may_stand_in_a_header(address: str, sent: str) -> None:
    assert as_sent(address) == sent
