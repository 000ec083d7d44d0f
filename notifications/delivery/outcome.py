"""Write down how an attempt ended, and what follows from it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from foundation import telemetry
from foundation.clock import now
from foundation.outbox import outcome as ends
from foundation.outbox.backoff import after
from notifications.channels.envelope import Outcome
from notifications.delivery.settlements import settlements
from notifications.models import Channel, Contact, Delivery
from notifications.routing.plan_deliveries import awake
from notifications.routing.quiet_hours import in_time

AGAIN = timedelta(seconds=5)
"""When to look again whether a message was sent that is to be changed."""


def store_end(row: Delivery, outcome: Outcome) -> bool:
    """Write the end of an attempt; False when another worker has claimed the row since, whose end counts."""
    at, wait = now(), _wait(row, outcome)
    with transaction.atomic():
        if not _ended(row, outcome, wait, at):
            return False
        if wait is None and not outcome.is_sent:
            _try_the_next(row, at)
    _note_on_channel(row, outcome, at)
    status = "again" if wait is not None else "sent" if outcome.is_sent else "dead"
    telemetry.count("zen_notices_total", kind=row.channel.kind if row.channel else "none", status=status)
    return True


def drop(row: Delivery) -> None:
    """End a delivery that has nothing left to say."""
    ends.ended(row, Delivery.CANCELLED, ended_at=now())


def put_off(row: Delivery) -> None:
    """Put off a change of a message that is not sent yet. No attempt was made."""
    ends.put_off(row, now() + AGAIN)


def _ended(row: Delivery, outcome: Outcome, wait: timedelta | None, at: datetime) -> bool:
    if wait is not None:
        return ends.due_again(row, _not_before(row, at + wait), error=outcome.error)
    end: dict[str, object] = {"error": outcome.error, "ended_at": at, "heard": row.updates_id is not None}
    if not outcome.is_sent:
        return ends.ended(row, Delivery.DEAD, **end)
    return ends.ended(row, Delivery.SENT, sent_at=at, reference=outcome.reference, **end)


def _wait(row: Delivery, outcome: Outcome) -> timedelta | None:
    """Until the next attempt; None when there is none."""
    if outcome.is_sent or outcome.permanent:
        return None
    return after(row.attempts, most=settings.ZEN_NOTIFY_ATTEMPTS, retry_after=outcome.retry_after)


def _not_before(row: Delivery, at: datetime) -> datetime:
    """`at`, or the end of the quiet hours that it falls into by now, where that leaves time for an answer."""
    contact = None if row.urgent or row.user_id is None else Contact.objects.filter(user=row.user_id).first()
    return in_time(at, awake(contact, at), row.until) if contact else at


def _try_the_next(row: Delivery, at: datetime) -> None:
    """Hand a dead delivery over to the person's next channel, at once or after their quiet hours.

    What was sent with it goes along.
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
