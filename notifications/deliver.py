"""Send what is due. Any number of workers may do it at once."""

from __future__ import annotations

import logging
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.conf import settings

from notifications.claims import claim
from notifications.ends import drop, put_off, store
from notifications.hearing import announce, announce_the_left
from notifications.models import Delivery
from notifications.outages import looked
from notifications.parcels import parcel_of
from notifications.senders.parcel import Outcome, Parcel
from notifications.senders.registry import send

log = logging.getLogger(__name__)

AT_ONCE = 8
LOOK_SECONDS = 5.0
"""A slow channel is no outage."""
NOBODY = "no channel reaches this person; fill in their contact, or the e-mail address of their account"
LOST = "the worker was lost in the last attempt; it may have been sent"


def deliver_due(limit: int = 100) -> int:
    """Attempt up to `limit` deliveries, several at once; returns how many. The threads send, this one writes.

    A row that breaks keeps no other from its end, and what is on its way when all breaks is written down all the same:
    an attempt whose end is not stored is made again.
    """
    looked()
    announce_the_left()
    flying: dict[Future[Outcome], Delivery] = {}
    begun = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="notice") as pool:
        try:
            while True:
                room = min(AT_ONCE - len(flying), limit - begun)
                taken = claim(room) if room > 0 else []
                begun += len(taken)
                for row in taken:
                    if parcel := _parcel(row):
                        flying[pool.submit(send, _kind(row), parcel)] = row
                if flying:
                    ended, _ = wait(flying, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
                    looked()
                    for future in ended:
                        _finish(flying.pop(future), future.result())
                elif not taken:
                    return begun
        finally:
            for future, row in flying.items():
                _finish(row, future.result())


def _parcel(row: Delivery) -> Parcel | None:
    """What is to be sent; None when the row has already found its end, or its pause, or cannot be made into one."""
    try:
        return _made(row)
    except Exception:
        log.exception("delivery %s could not be put together; it is tried again", row.pk)
        return None


def _made(row: Delivery) -> Parcel | None:
    if why := _refusal(row):
        _finish(row, Outcome(error=why, permanent=True))
        return None
    if row.updates and row.updates.status in (Delivery.QUEUED, Delivery.SENDING):
        put_off(row)
        return None
    parcel = parcel_of(row)
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
    try:
        if store(row, outcome):
            announce(row.pk)
    except Exception:
        log.exception("the end of delivery %s was not stored, or not told; it is tried again", row.pk)
