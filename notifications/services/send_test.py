"""Sends a message to see whether a channel works."""

from __future__ import annotations

import uuid

from django.db import transaction

from foundation.clock import now
from foundation.errors import BadInput, NotAllowed
from foundation.identity.actor import Actor
from foundation.identity.permissions import ADMINISTRATOR
from foundation.nudge import nudge_on_commit
from notifications.message import Person
from notifications.models import Channel, Delivery, Notice
from notifications.routing.recipients import reached
from notifications.services.audit import record


def send_test(*, channel: Channel, actor: Actor, person: Person) -> Delivery:
    """Queue a test message to `channel`; through a personal channel to `person`. Returns the delivery.

    Raises:
        NotAllowed: `actor` is no administrator.
        BadInput: a personal channel does not reach the person.
    """
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
        record(actor=actor, action="channel.test", channel=channel.name)
        nudge_on_commit()
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
