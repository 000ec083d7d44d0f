"""Claim deliveries for a time, and put together what goes to the same person."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from notifications.clock import now
from notifications.models import Delivery

LEASE = timedelta(seconds=120)
"""Longer than an attempt can take. What is claimed for longer was lost with its worker, and is free again."""

AT_ONCE_IN_A_CHANNEL = 4
MOST_TOGETHER = 20


def claim(most: int) -> list[Delivery]:
    """Up to `most` deliveries that are due, the oldest first, and few of each channel: a slow one holds up no other."""
    at = now()
    if not _due(at).exists():
        return []
    with transaction.atomic():
        rows = _due(at).exclude(channel__in=_busy(at)).select_for_update(skip_locked=True, of=("self",), no_key=True)
        taken: list[Delivery] = []
        for row in _few_of_each(rows.order_by("due_at", "id")[: most * 4]):
            if len(taken) < most and _take(row, at):  # else it travels inside one that was taken before
                taken.append(row)
                _put_together(row, at)
    ids = [row.pk for row in taken]
    return list(Delivery.objects.filter(pk__in=ids).select_related("notice", "channel", "updates").order_by("pk"))


def _due(at: datetime) -> QuerySet[Delivery]:
    waits = Q(status=Delivery.QUEUED, due_at__lte=at)
    return Delivery.objects.filter(waits | Q(status=Delivery.SENDING, lease_until__lt=at))


def _busy(at: datetime) -> list[int]:
    flying = Delivery.objects.filter(status=Delivery.SENDING, lease_until__gte=at).exclude(channel=None).order_by()
    counted = flying.values("channel").annotate(count=Count("id")).filter(count__gte=AT_ONCE_IN_A_CHANNEL)
    return list(counted.values_list("channel", flat=True))


def _few_of_each(rows: QuerySet[Delivery]) -> list[Delivery]:
    seen: dict[int | None, int] = {}
    found = []
    for row in rows:
        seen[row.channel_id] = seen.get(row.channel_id, 0) + 1
        if seen[row.channel_id] <= AT_ONCE_IN_A_CHANNEL:
            found.append(row)
    return found


def _take(row: Delivery, at: datetime) -> bool:
    """A conditional UPDATE, so that two workers never get the same one."""
    if row.updates_id is not None and not _has_turn(row, at):
        return False
    mine = _due(at).filter(pk=row.pk, epoch=row.epoch)
    return bool(
        mine.update(status=Delivery.SENDING, lease_until=at + LEASE, epoch=F("epoch") + 1, attempts=F("attempts") + 1)
    )


def _has_turn(change: Delivery, at: datetime) -> bool:
    """One change of a message at a time: an older one must not arrive after a newer one."""
    carrier = Delivery.objects.filter(pk__in=[change.updates_id])
    if not carrier.select_for_update(skip_locked=True, of=("self",), no_key=True).exists():
        return False
    others = Delivery.objects.filter(updates=change.updates_id, status=Delivery.SENDING, lease_until__gte=at)
    return not others.exclude(pk=change.pk).exists()


def _put_together(row: Delivery, at: datetime) -> None:
    """What else waits for this person in this channel, or is about to be due, travels inside.

    Rows that somebody else has locked are left alone, so that nobody waits for anybody in a circle.
    """
    if not row.person_key or row.urgent or row.updates_id is not None or row.channel_id is None:
        return
    soon = at + timedelta(seconds=settings.ZEN_NOTIFY_COALESCE_SECONDS)
    same = Delivery.objects.filter(person_key=row.person_key, channel=row.channel_id, address=row.address)
    waiting = same.filter(status=Delivery.QUEUED, due_at__lte=soon, urgent=False, updates=None)
    carriers = Delivery.objects.filter(into__person_key=row.person_key).values("into")
    free = waiting.exclude(pk__in=carriers).select_for_update(skip_locked=True, of=("self",), no_key=True)
    room = MOST_TOGETHER - 1 - Delivery.objects.filter(into=row.pk).count()
    ids = [other.pk for other in free.order_by("id")[: max(room, 0)]]
    if ids:
        Delivery.objects.filter(pk__in=ids, status=Delivery.QUEUED).update(status=Delivery.COALESCED, into=row.pk)
