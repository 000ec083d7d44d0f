"""The cast and what they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User

from foundation.clock import now
from notifications.message import Button, Message, Person
from notifications.models import Channel, Contact, Delivery, Notice
from notifications.services import notify
from tests.support.peer import Peer

YES, NO = Button(label="Approve", value="yes", style="primary"), Button(label="Reject", value="no", style="danger")
ASK = Message(
    title="Deploy to production?", text="Version **7** waits.", url="https://zen.test/a/17", buttons=(YES, NO)
)


def user(name: str = "ada", **contact: Any) -> User:
    made = User.objects.create_user(name, email=f"{name}@example.com")
    if contact:
        Contact.objects.create(user=made, **contact)
    return made


def person(who: User, url: str = "") -> Person:
    return Person(user_id=who.pk, name=who.username.title(), email=who.email, url=url)


def asked(*people: User, n: int = 1, subject: str = "approval:17", **more: Any) -> Notice:
    """`n`: which notice it is; the same number is the same notice."""
    given: dict[str, Any] = {"message": ASK, "people": [person(who) for who in people], "kind": "asked", **more}
    return notify(subject=subject, dedupe=f"{subject}:{n}", **given)


def slack_people() -> Channel:
    return Channel.objects.create(name="slack://people", kind="slack", personal=True, token="{secret:SLACK_TOKEN}")


def slack_channel() -> Channel:
    return Channel.objects.create(
        name="slack://deployments", kind="slack", target="#deployments", token="{secret:SLACK_TOKEN}"
    )


def webhook(receiver: Peer, name: str = "ops") -> Channel:
    return Channel.objects.create(name=f"webhook://{name}", kind="webhook", target=f"{receiver.url}/{name}")


def make_due() -> None:
    """As if the pause before the next attempt had passed."""
    Delivery.objects.filter(status=Delivery.QUEUED).update(due_at=now())


def lease_over() -> None:
    """As if the time of the claims had passed."""
    Delivery.objects.filter(status=Delivery.SENDING).update(lease_until=now() - timedelta(seconds=1))


def statuses() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("status", flat=True))


def only() -> Delivery:
    return Delivery.objects.get()
