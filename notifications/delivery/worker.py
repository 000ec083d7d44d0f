"""Send what is due. Any number of workers may do it at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.conf import settings

from foundation.outbox.claim import keep
from foundation.outbox.worker import Kind, work_through
from notifications.channels.envelope import Envelope, Outcome
from notifications.channels.registry import broken, send
from notifications.delivery.claim import LEASE, claim
from notifications.delivery.envelopes import envelope_of
from notifications.delivery.listeners import announce, announce_the_left
from notifications.delivery.outages import looked
from notifications.delivery.outcome import drop, put_off, store_end
from notifications.models import Delivery

AT_ONCE = 8
LOOK_SECONDS = 5.0
"""A slow channel is no outage."""
NOBODY = "no channel reaches this person; fill in their contact, or the e-mail address of their account"
LOST = "the worker was lost in the last attempt; it may have been sent"


def deliver_due(limit: int = 100) -> int:
    """Attempt up to `limit` deliveries, several at once; returns how many."""
    announce_the_left()
    return work_through(DELIVERIES, limit=limit, at_once=AT_ONCE)


def _begin(row: Delivery) -> Callable[[], Outcome] | None:
    """What sends it; None when the row has already found its end, or its pause."""
    envelope = _made(row)
    return partial(send, _kind(row), envelope) if envelope else None


def _made(row: Delivery) -> Envelope | None:
    if why := _refusal(row):
        _finish(row, Outcome(error=why, permanent=True))
        return None
    if row.updates and row.updates.status in (Delivery.QUEUED, Delivery.SENDING):
        put_off(row)
        return None
    parcel = envelope_of(row)
    if parcel is None or (row.updates and not parcel.changes):
        drop(row)
        return None
    return parcel


def _refusal(row: Delivery) -> str:
    if row.channel is None:
        return NOBODY
    if not row.channel.enabled:
        return f"{row.channel.name} is disabled"
    return LOST if row.attempts > settings.ZEN_NOTIFY_ATTEMPTS else ""


def _kind(row: Delivery) -> str:
    return row.channel.kind if row.channel else ""


def _finish(row: Delivery, outcome: Outcome) -> None:
    if store_end(row, outcome):
        announce(row.pk)


DELIVERIES: Kind[Delivery, Outcome] = Kind(
    name="notice",
    claim=lambda most: claim(most),
    begin=_begin,
    finish=_finish,
    broke=lambda row, error: _finish(row, broken(error)),
    keep=lambda rows: keep(rows, LEASE),
    look=lambda: looked(),
    look_seconds=LOOK_SECONDS,
)
