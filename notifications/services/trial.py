"""A message to see whether a channel works."""

from __future__ import annotations

import uuid

from django.db import transaction

from notifications.bell import ring_on_commit
from notifications.clock import now
from notifications.errors import BadInput, NotAllowed
from notifications.message import Person
from notifications.models import Channel, Delivery, Notice
from notifications.people import reached
from notifications.ports import Actor, audit
from notifications.roles import ADMINISTRATOR


def send_test(*, channel: Channel, actor: Actor, person: Person) -> Delivery:
    """To the channel; through a personal channel to `person`. Raises NotAllowed or BadInput."""
    if ADMINISTRATOR not in actor.roles:
        remedy = f"ask for the role {ADMINISTRATOR}"
        raise NotAllowed(f"{actor.name} may not send a test", field="role", remedy=remedy)
    to, address = None, ""
    if channel.personal:
        to, address = person, _address(channel, person)
    at = now()
    with transaction.atomic():
        notice = Notice.objects.create(
            subject=f"channel:{channel.pk}",
            kind="test",
            title="Zen: a test message",
            text=f"{channel.name} works. {actor.name} asked for this message.",
            urgent=True,
            dedupe=f"test:{uuid.uuid4().hex}",
            created_at=at,
        )
        audit(actor=actor, action="channel.test", channel=channel.name)
        ring_on_commit()
        return Delivery.objects.create(
            notice=notice, channel=channel, address=address, urgent=True, created_at=at, due_at=at,
            user_id=to.user_id if to else None, person_key=to.key if to else "", person_name=to.name if to else "",
        )  # fmt: skip


def _address(channel: Channel, person: Person) -> str:
    (one,) = reached([person])
    for route in one.routes:
        if route.channel == channel.pk:
            return route.address
    remedy = "fill in your contact, name the channel in it, and enable the channel"
    raise BadInput(f"{channel.name} does not reach you", field="channel", value=channel.name, remedy=remedy)
