"""Tell the listeners how deliveries ended: after the rows are stored, and again if the worker died before."""

from __future__ import annotations

import logging
from datetime import timedelta

from notifications.clock import now
from notifications.message import DeliveryEnded
from notifications.models import Delivery
from notifications.ports import listeners

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
GRACE = timedelta(seconds=60)
"""What is unheard for longer was left by a worker that died."""


def announce(row_id: int) -> None:
    """The end of a delivery, and of each that travelled inside. Once: whoever marks the row tells it."""
    row = Delivery.objects.select_related("notice", "channel").get(pk=row_id)
    if row.heard:
        return
    inside = Delivery.objects.filter(into=row.pk).select_related("notice", "channel").order_by("id")
    for one in (row, *inside):
        _tell(_ended(one, row))
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


def _tell(ended: DeliveryEnded) -> None:
    for listener in listeners():
        try:
            listener(ended)
        except Exception:
            log.exception("a listener failed to hear of %s", ended)
