"""Write down how an attempt ended, and what follows from it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from notifications.clock import now
from notifications.models import Channel, Contact, Delivery
from notifications.plans import awake
from notifications.senders.parcel import Outcome
from notifications.settlements import settlements
from notifications.when import in_time, pause

AGAIN = timedelta(seconds=5)
"""When to look again whether a message was sent that is to be changed."""


def store(row: Delivery, outcome: Outcome) -> bool:
    """False when the claim was lost to another worker, whose end counts."""
    at = now()
    with transaction.atomic():
        if not _mine(row).update(lease_until=None, error=outcome.error, **_end(row, outcome, at)):
            return False
        if not outcome.is_sent and _is_last(row, outcome):
            _try_the_next(row, at)
    _note_on_channel(row, outcome, at)
    return True


def drop(row: Delivery) -> None:
    """There is nothing left to say."""
    _mine(row).update(status=Delivery.CANCELLED, lease_until=None, ended_at=now())


def put_off(row: Delivery) -> None:
    """It changes a message that is not sent yet. No attempt was made."""
    _mine(row).update(status=Delivery.QUEUED, lease_until=None, due_at=now() + AGAIN, attempts=max(row.attempts - 1, 0))


def _mine(row: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=row.pk, epoch=row.epoch, status=Delivery.SENDING)


def _end(row: Delivery, outcome: Outcome, at: datetime) -> dict[str, object]:
    is_message = row.updates_id is None
    if outcome.is_sent:
        end: dict[str, object] = {"status": Delivery.SENT, "sent_at": at, "ended_at": at, "heard": not is_message}
        return end | {"reference": outcome.reference}
    if _is_last(row, outcome):
        return {"status": Delivery.DEAD, "ended_at": at, "heard": not is_message}
    spread = random.random()  # noqa: S311 - no secret
    wait = pause(attempts=row.attempts, spread=spread, retry_after=outcome.retry_after)
    return {"status": Delivery.QUEUED, "due_at": _not_before(row, at + wait)}


def _not_before(row: Delivery, at: datetime) -> datetime:
    """`at`, or the end of the quiet hours that it falls into by now, where that leaves time for an answer."""
    contact = None if row.urgent or row.user_id is None else Contact.objects.filter(user=row.user_id).first()
    return in_time(at, awake(contact, at), row.until) if contact else at


def _is_last(row: Delivery, outcome: Outcome) -> bool:
    return outcome.permanent or row.attempts >= settings.ZEN_NOTIFY_ATTEMPTS


def _try_the_next(row: Delivery, at: datetime) -> None:
    """A dead channel hands over to the person's next one, at once or after their quiet hours; what travelled inside
    goes along.
    """
    told = [row, *Delivery.objects.filter(into=row.pk).select_related("notice")]
    ends = settlements(told)
    left = [one for one in told if one.rest and one.pk not in ends]
    Delivery.objects.bulk_create((_next(one, at) for one in left), ignore_conflicts=True)


def _next(row: Delivery, at: datetime) -> Delivery:
    route, *rest = row.rest
    return Delivery(
        notice_id=row.notice_id,
        channel_id=route["channel"],
        address=route["address"],
        user_id=row.user_id,
        person_key=row.person_key,
        person_name=row.person_name,
        url=row.url,
        urgent=row.urgent,
        until=row.until,
        rest=rest,
        created_at=at,
        due_at=_not_before(row, at),
    )


def _note_on_channel(row: Delivery, outcome: Outcome, at: datetime) -> None:
    channel = Channel.objects.filter(deliveries=row.pk)
    if outcome.is_sent:
        channel.update(last_ok_at=at, last_error="", last_error_at=None)
    else:
        channel.update(last_error=outcome.error, last_error_at=at)
