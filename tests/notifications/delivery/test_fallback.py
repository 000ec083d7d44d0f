"""A dead channel hands over to the next at once; a dead letter can be sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from pytest_django import Settings

from foundation.errors import NotAllowed, NotFound, WrongState
from foundation.identity.actor import Actor
from foundation.models import AuditEvent
from notifications.delivery.worker import deliver_due
from notifications.message import Message
from notifications.models import Channel, Delivery
from notifications.services import resend, supersede
from tests.notifications.mail_server import Mailbox
from tests.notifications.scenes import asked, only, slack_people, statuses, user, webhook
from tests.notifications.slack_api import SlackApi
from tests.support.peer import Peer

pytestmark = pytest.mark.django_db


OLGA = Actor(name="olga", door="admin", roles=frozenset({"operator"}))


def test_the_next_channel_is_tried_at_once(slack: SlackApi, mailbox: Mailbox) -> None:
    slack_people()
    asked(user("eve"))  # brings the channel of mail into being
    ada = user(slack_id="U0GONE", channels=["slack://people", "email://people"])
    asked(ada, n=2)
    deliver_due()
    rows = Delivery.objects.filter(user=ada).order_by("id")
    assert [(str(row.channel), row.status) for row in rows] == [("slack://people", "dead"), ("email://people", "sent")]
    assert [mail["to"] for mail in mailbox.mails].count("ada@example.com") == 1


def test_all_channels_are_tried_when_the_person_wants_it(slack: SlackApi, mailbox: Mailbox) -> None:
    slack_people()
    asked(user(slack_id="U0ADA", mode="all"))
    deliver_due()
    assert len(slack.shown) == len(mailbox.mails) == 1 and statuses() == ["sent", "sent"]


def test_nobody_to_reach_is_dead_and_says_what_to_do() -> None:
    ada = user()
    type(ada).objects.update(email="")
    ada.email = ""
    asked(ada)
    deliver_due()
    assert only().status == "dead" and "fill in their contact" in only().error


def test_a_dead_one_is_sent_again(receiver: Peer) -> None:
    webhook(receiver)
    receiver.say_once("/ops", 404)
    asked(channels=["webhook://ops"])
    deliver_due()
    assert only().status == "dead"
    row = resend(delivery=only(), actor=OLGA)
    assert (row.status, row.attempts) == ("queued", 0)
    deliver_due()
    assert only().status == "sent" and len(receiver.seen) == 2
    event = AuditEvent.objects.get(action="delivery.resend")
    assert (event.actor, event.data["subject"]) == ("olga", "approval:17")


def test_what_cannot_be_sent_again(receiver: Peer, settings: Settings) -> None:
    webhook(receiver)
    asked(channels=["webhook://ops"])
    with pytest.raises(WrongState, match="queued"):
        resend(delivery=only(), actor=OLGA)
    receiver.say("/ops", 404)
    deliver_due()
    with pytest.raises(NotAllowed, match="olga"):
        resend(delivery=only(), actor=replace(OLGA, roles=frozenset({"viewer"})))
    with pytest.raises(NotFound):
        resend(delivery=Delivery(pk=4711), actor=OLGA)
    supersede(subject="approval:17", message=Message(title="Done", text=""))
    with pytest.raises(WrongState, match="settled"):
        resend(delivery=only(), actor=OLGA)
    assert only().status == "dead" and AuditEvent.objects.count() == 0


def test_a_dead_one_whose_person_nobody_reaches_is_not_sent_again() -> None:
    ada = user()
    type(ada).objects.update(email="")
    ada.email = ""
    asked(ada)
    deliver_due()
    with pytest.raises(WrongState, match="no channel"):
        resend(delivery=only(), actor=OLGA)
    assert Channel.objects.get().last_error == ""


NIGHT = datetime.fromisoformat("2026-06-10T21:59:59.500+00:00")
MORNING = datetime.fromisoformat("2026-06-11T07:00+00:00")


def sleeper() -> User:
    """Who is left alone from ten to seven."""
    slack_people()
    asked(user("eve"))  # brings the channel of mail into being
    Delivery.objects.all().delete()
    channels = ["slack://people", "email://people"]
    return user(slack_id="U0ADA", channels=channels, quiet_from=time(22), quiet_to=time(7))


@pytest.mark.parametrize("urgent", [False, True])
def test_a_retry_that_falls_into_quiet_hours_waits_for_their_end(slack: SlackApi, urgent: bool) -> None:
    ada = sleeper()
    slack.fails(500)
    with time_machine.travel(NIGHT, tick=False):
        asked(ada, n=2, urgent=urgent)
        deliver_due()
    row = only()
    assert (row.status, row.attempts) == ("queued", 1)
    assert row.due_at < MORNING if urgent else row.due_at == MORNING


@pytest.mark.parametrize("urgent", [False, True])
def test_so_does_the_next_channel(slack: SlackApi, urgent: bool) -> None:
    ada = sleeper()
    slack.fails(error="channel_not_found")
    with time_machine.travel(NIGHT, tick=False):
        asked(ada, n=2, urgent=urgent)
    late = NIGHT + timedelta(seconds=2)
    with time_machine.travel(late, tick=False):
        deliver_due(limit=1)
    dead, following = Delivery.objects.order_by("pk")
    assert (dead.status, following.status) == ("dead", "queued")
    assert following.due_at == (late if urgent else MORNING)
