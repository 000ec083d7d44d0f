"""Who gets a delivery, by which channel, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from foundation.errors import BadInput
from notifications.message import Button, Message, Person
from notifications.models import Channel, Delivery, Notice
from notifications.services import notify
from tests.notifications.scenes import ASK, asked, only, person, slack_channel, slack_people, statuses, user

pytestmark = pytest.mark.django_db


def test_each_person_and_each_channel_gets_one_delivery() -> None:
    ada, bob = user("ada"), user("bob")
    slack_channel()
    to = [person(ada, "https://zen.test/ada"), person(bob, "https://zen.test/bob"), person(ada)]
    notice = asked(people=to, channels=["slack://deployments", "slack://deployments"])
    rows = list(notice.deliveries.order_by("id").values_list("person_name", "address", "channel__name", "url"))
    assert rows == [
        ("Ada", "ada@example.com", "email://people", ""),
        ("Bob", "bob@example.com", "email://people", "https://zen.test/bob"),
        ("", "", "slack://deployments", ""),
    ]


def test_the_same_key_again_changes_nothing() -> None:
    ada, bob = user("ada"), user("bob")
    assert asked(ada) == asked(bob, subject="approval:17")
    assert [row.user for row in Delivery.objects.all()] == [ada]
    assert asked(ada, n=2) != asked(ada)
    assert Notice.objects.count() == 2


def test_what_the_caller_rolls_back_was_never_told(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    ada = user()
    with django_capture_on_commit_callbacks() as rings:
        with transaction.atomic():
            asked(ada)
            transaction.set_rollback(True)
        assert (Notice.objects.count(), rings) == (0, [])
        asked(ada)
        asked(ada)
    assert len(rings) == 1, "the second call told nothing new"


def test_somebody_without_an_account_is_told_by_mail() -> None:
    asked(
        people=[
            Person(user_id=None, name="Eve", email="eve@example.com"),
            Person(user_id=None, name="E", email="EVE@example.com"),
        ]
    )
    assert (only().address, only().person_key) == ("eve@example.com", "email:eve@example.com") or only().address


def test_a_contact_says_by_which_channels() -> None:
    slack_people()
    Channel.objects.create(name="sms://people", kind="apprise", personal=True, target="twilio://{secret:T}@1/{phone}")
    ada = user("ada", slack_id="U0ADA", phone="+4915112345678", email="a@private.test")
    asked(ada)
    row = only()
    assert (str(row.channel), row.address) == ("email://people", "a@private.test")
    assert [Channel.objects.get(pk=route["channel"]).name for route in row.rest] == ["slack://people", "sms://people"]
    bob = user("bob", slack_id="U0BOB", channels=["sms://people", "slack://people"])
    row = asked(bob, n=2).deliveries.get()
    assert (str(row.channel), row.address, row.rest) == ("slack://people", "U0BOB", []), "he has no phone"
    eve = user("eve", slack_id="U0EVE", mode="all")
    rows = asked(eve, n=3).deliveries.order_by("id")
    assert [(str(row.channel), row.rest) for row in rows] == [("email://people", []), ("slack://people", [])]


def test_a_disabled_channel_is_passed_over() -> None:
    slack_people()
    asked(user("bob"))
    Channel.objects.filter(name="email://people").update(enabled=False)
    row = asked(user("ada", slack_id="U0ADA"), n=2).deliveries.get()
    assert str(row.channel) == "slack://people"
    assert Channel.objects.get(name="email://people").enabled is False, "what was switched off stays so"


def test_who_has_muted_hears_only_what_is_urgent() -> None:
    ada = user(muted=True)
    asked(ada)
    assert statuses() == ["cancelled"] and "muted" in only().error
    assert asked(ada, n=2, urgent=True).deliveries.get().status == "queued"


def test_nobody_is_told_more_often_of_a_subject_than_the_cap(settings: Settings) -> None:
    settings.ZEN_NOTIFY_CAP = 2
    ada, bob = user("ada", mode="all", slack_id="U0ADA"), user("bob")
    slack_people()
    for n in range(4):
        asked(ada, n=n)
    asked(ada, bob, n=9)
    asked(ada, subject="approval:18")
    assert asked(ada, n=10, capped=False).deliveries.filter(status="queued").count() == 2
    told = Delivery.objects.filter(user=ada, notice__subject="approval:17")
    assert told.filter(status="queued").values("notice").distinct().count() == 3
    assert (
        told.filter(status="cancelled", error__contains="ZEN_NOTIFY_CAP is 2").values("notice").distinct().count() == 3
    )
    assert Delivery.objects.filter(user=bob).get().status == "queued"
    assert Delivery.objects.filter(notice__subject="approval:18", status="queued").count() == 2


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ({"quiet_from": time(22), "quiet_to": time(7)}, "2026-03-29T05:00+00:00"),
        ({"digest": "hourly"}, "2026-03-28T23:00+00:00"),
        ({"digest": "daily"}, "2026-03-29T06:00+00:00"),
        ({"digest": "hourly", "quiet_from": time(22), "quiet_to": time(7)}, "2026-03-29T05:00+00:00"),
        ({}, "2026-03-28T22:30+00:00"),
    ],
)
def test_quiet_hours_and_digests_put_off_what_is_not_urgent(contact: dict[str, Any], expected: str) -> None:
    """In the night in which the clock goes forward."""
    ada, at = user(zone="Europe/Berlin", **contact), datetime.fromisoformat("2026-03-28T22:30+00:00")
    with time_machine.travel(at, tick=False):
        asked(ada)
        asked(ada, n=2, urgent=True)
    usual, urgent = Delivery.objects.order_by("id")
    assert usual.due_at == datetime.fromisoformat(expected)
    assert urgent.due_at == at


def test_somebody_whom_no_channel_reaches_is_a_row_too() -> None:
    ada = user()
    ada.email = ""
    ada.save(update_fields=["email"])
    notify(subject="s", kind="k", message=ASK, people=[Person(user_id=ada.pk, name="Ada")], dedupe="d")
    assert (only().channel, only().status) == (None, "queued")


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"channels": ["slack://nowhere"]}, "channels", "slack://deployments"),
        ({"channels": ["slack://people"]}, "channels", "slack://deployments"),
        ({"people": [Person(user_id=4711, name="Nobody")]}, "people", "4711"),
        ({"people": [Person(user_id=None, name="Nobody")]}, "people", "e-mail"),
        ({"people": [Person(user_id=None, name="E", email="e@x.test", url="javascript:1")]}, "url", "link"),
        ({"message": replace(ASK, title=" \u200b ")}, "title", "title"),
        ({"message": replace(ASK, title="x" * 301)}, "title", "300"),
        ({"message": replace(ASK, text="x" * 50_001)}, "text", "50,000"),
        ({"message": replace(ASK, url="/a/17")}, "url", "absolute"),
        ({"message": replace(ASK, url="https://x.test/ y")}, "url", "absolute"),
        ({"message": replace(ASK, buttons=(Button(label="", value="x"),))}, "buttons", "label"),
        ({"message": replace(ASK, buttons=(Button(label="a", value="x", style="pink"),))}, "buttons", "danger"),
        ({"message": replace(ASK, buttons=(Button(label="a", value="x"),) * 6)}, "buttons", "5 at most"),
        ({"subject": ""}, "subject", "such as approval:17"),
        ({"dedupe": "x" * 251}, "dedupe", "250"),
        ({"kind": "a\nb"}, "kind", "printable"),
    ],
)
def test_wrong_input_is_refused_with_the_field_and_the_remedy(wrong: dict[str, Any], field: str, says: str) -> None:
    slack_channel()
    slack_people()
    given = {"subject": "s", "kind": "k", "message": ASK, "dedupe": "d", **wrong}
    with pytest.raises(BadInput) as refused:
        notify(**given)
    assert refused.value.field == field
    assert says in f"{refused.value.message} {refused.value.remedy}"
    assert (Notice.objects.count(), Delivery.objects.count()) == (0, 0)


def test_what_is_stored_hides_nothing() -> None:
    message = Message(title="Pay\u202e 001\n now", text="a\u200bb\0", buttons=(Button(label="O\u2066K", value="v"),))
    notice = asked(user(), message=message)
    assert (notice.title, notice.text, notice.buttons[0]["label"]) == ("Pay 001 now", "ab", "OK")


def test_a_burst_waits_for_its_end(settings: Settings) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 20
    ada = user()
    first = asked(ada).deliveries.get()
    sent_at = first.created_at - timedelta(seconds=5)
    Delivery.objects.update(status="sent", sent_at=sent_at)
    assert asked(ada, n=2).deliveries.get().due_at == sent_at + timedelta(seconds=20)
    Delivery.objects.update(sent_at=sent_at - timedelta(seconds=60), status="sent")
    third = asked(ada, n=3).deliveries.get()
    assert third.due_at == third.created_at
