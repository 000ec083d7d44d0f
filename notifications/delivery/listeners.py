"""Tells the listeners how deliveries ended: after the rows are stored, and again if the worker was lost before that."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from foundation.clock import now
from foundation.db.outages import AWAY, heal
from foundation.guarded import guarded
from notifications.message import DeliveryEnded
from notifications.models import Delivery
from notifications.ports import listeners

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
GRACE = timedelta(seconds=60)
"""What no listener was told of for longer was left by a lost worker, or by a listener whose database was away."""

GIVEN_UP = timedelta(days=1)
"""A listener that the database fails for longer has another fault, and is not told of that end any more."""


def announce(row_id: int) -> None:
    """Tell the listeners of a delivery's end, and of those sent with it.

    Once: the worker that marks the row tells it. Where the database failed a listener, all of them are told again,
    until GIVEN_UP after the end.
    """
    row = Delivery.objects.select_related("notice", "channel").get(pk=row_id)
    if row.heard:
        return
    inside = Delivery.objects.filter(into=row.pk).select_related("notice", "channel").order_by("id")
    heard = [_tell(_ended(one, row)) for one in (row, *inside)]
    if not all(heard) and now() - (row.ended_at or now()) < GIVEN_UP:
        return
    Delivery.objects.filter(pk=row.pk).update(heard=True)


def announce_the_left() -> None:
    left = Delivery.objects.filter(heard=False, ended_at__lt=now() - GRACE).order_by("ended_at")
    for row_id in left.values_list("pk", flat=True)[:MOST_AT_ONCE]:
        announce(row_id)


def _ended(one: Delivery, row: Delivery) -> DeliveryEnded:
    return DeliveryEnded(
        subject=one.notice.subject,
        kind=one.notice.kind,
        user_id=one.user_id,
        channel=row.channel.name if row.channel else "",
        sent=row.status == Delivery.SENT,
        at=row.ended_at or now(),
        person=one.person_key,
        dedupe=one.notice.dedupe,
    )


def _tell(ended: DeliveryEnded) -> bool:
    """Whether each listener has heard of it, or broke by a fault of its own; False where the database failed one."""
    away = [guarded(partial(listener, ended), partial(_is_away, ended)) for listener in listeners()]
    return not any(away)


def _is_away(ended: DeliveryEnded, error: Exception) -> bool:
    log.error("a listener failed to hear of %s", ended, exc_info=error)
    if not isinstance(error, AWAY):
        return False
    heal()
    return True
