"""A subject is settled: deliveries that wait are cancelled, and messages that Slack shows are changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from foundation.clock import now
from foundation.nudge import nudge_on_commit
from notifications.delivery.settlements import SETTLED
from notifications.message import Message, checked
from notifications.models import Channel, Delivery, Notice
from notifications.services.store_notice import stored_once


def supersede(*, subject: str, message: Message, dedupe: str = "") -> Notice:
    """Settle `subject`, in the caller's transaction or in one of its own.

    Returns the notice that replaces earlier ones.

    `message`: what Slack shows instead. The same message with the same `dedupe` again changes nothing. A message that
    is being sent now is changed after it was sent. Notices that are stored later are not affected.

    Raises:
        BadInput: the message cannot be stored.
    """
    message, at = checked(message), now()
    with transaction.atomic(savepoint=False):
        key = _key(subject, message, dedupe)
        notice, is_new = stored_once(
            subject=subject, kind=SETTLED, message=replace(message, buttons=()), dedupe=key, at=at
        )
        if is_new:
            _waiting(subject).update(status=Delivery.CANCELLED, ended_at=at)
            Delivery.objects.bulk_create(_change(notice, carrier) for carrier in _changeable(subject))
            nudge_on_commit()
    return notice


def _waiting(subject: str) -> QuerySet[Delivery]:
    """Not those that failed once with others inside: the worker that takes one leaves out what is settled.

    No join, so that the UPDATE judges each row as it is once it is ours, and spares one that a worker just took.
    """
    told = Delivery.objects.filter(notice__in=Notice.objects.filter(subject=subject), updates=None)
    others = Delivery.objects.filter(into=OuterRef("pk"), status=Delivery.COALESCED)
    return told.filter(~Exists(others), status=Delivery.QUEUED)


def _changeable(subject: str) -> list[Delivery]:
    """The messages that tell of the subject, or will once they are sent, where their service can change them."""
    told = Delivery.objects.filter(notice__subject=subject, updates=None, channel__kind=Channel.SLACK)
    ids = set(told.annotate(carrier=Coalesce("into", "id")).values_list("carrier", flat=True))
    live = (Delivery.QUEUED, Delivery.SENDING, Delivery.SENT)
    return list(Delivery.objects.filter(pk__in=ids, status__in=live).order_by("pk"))


def _change(notice: Notice, carrier: Delivery) -> Delivery:
    return Delivery(
        notice=notice,
        updates=carrier,
        channel_id=carrier.channel_id,
        user_id=carrier.user_id,
        person_key=carrier.person_key,
        person_name=carrier.person_name,
        address=carrier.address,
        urgent=True,
        created_at=notice.created_at,
        due_at=notice.created_at,
    )


def _key(subject: str, message: Message, dedupe: str) -> str:
    content = json.dumps([subject, message.title, message.text, message.url, dedupe])
    return f"{SETTLED}:{hashlib.sha256(content.encode()).hexdigest()}"
