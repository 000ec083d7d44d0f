"""Claim deliveries for a time, and put together what goes to the same person."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from foundation.clock import now
from foundation.outbox.claim import in_hand, take, takeable
from notifications.models import Delivery

LEASE = timedelta(seconds=120)
"""Kept while an attempt lasts. What nobody has kept for so long was lost with its worker, and is free again."""

LOST_BEFORE = "the worker was lost in an earlier attempt; it may have been sent"
"""The error of a row in the attempt after one that a worker was lost in."""

ALONE = Q(status=Delivery.SENDING) | Q(error=LOST_BEFORE)
"""Of what is due: it may be what the worker was lost over, so it takes no other of its channel along."""

AT_ONCE_IN_A_CHANNEL = 4
MOST_TOGETHER = 20


def claim(most: int) -> list[Delivery]:
    """Up to `most` deliveries that are due, the oldest first, and few of each channel: a slow one holds up no other."""
    at = now()
    if not _due(at).exists():
        return []
    with transaction.atomic():
        rows = _due(at).exclude(channel__in=_closed(at)).select_for_update(skip_locked=True, of=("self",), no_key=True)
        taken: list[Delivery] = []
        for row in _few_of_each(rows.order_by("due_at", "id")[: most * 4]):
            if len(taken) < most and _take(row, at):  # else it travels inside one that was taken before
                taken.append(row)
                _put_together(row, at)
    ids = [row.pk for row in taken]
    return list(Delivery.objects.filter(pk__in=ids).select_related("notice", "channel", "updates").order_by("pk"))


def _due(at: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(takeable(at))


def _closed(at: datetime) -> set[int | None]:
    """Channels that have enough in hand, or one that is sent alone; and those that must be empty for such a one."""
    flying = in_hand(Delivery, at).exclude(channel=None).order_by()
    counted = flying.values("channel").annotate(count=Count("id"), alone=Count("id", filter=Q(error=LOST_BEFORE)))
    has_room = {one["channel"]: one["count"] < AT_ONCE_IN_A_CHANNEL and not one["alone"] for one in counted}
    closed: set[int | None] = {channel for channel, room in has_room.items() if not room}
    if partly := has_room.keys() - closed:
        closed |= set(_due(at).filter(ALONE, channel__in=partly).values_list("channel", flat=True))
    return closed


def _few_of_each(rows: QuerySet[Delivery]) -> list[Delivery]:
    seen: dict[int | None, int] = {}
    found = []
    for row in rows:
        before = seen.get(row.channel_id, 0)
        alone = _is_alone(row)
        if before < (1 if alone else AT_ONCE_IN_A_CHANNEL):
            found.append(row)
        seen[row.channel_id] = AT_ONCE_IN_A_CHANNEL if alone else before + 1
    return found


def _is_alone(row: Delivery) -> bool:
    return row.status == Delivery.SENDING or row.error == LOST_BEFORE


def _take(row: Delivery, at: datetime) -> bool:
    has_turn = row.updates_id is None or _has_turn(row, at)
    return has_turn and take(row, at, LEASE, error=LOST_BEFORE if _is_alone(row) else row.error)


def _has_turn(change: Delivery, at: datetime) -> bool:
    """One change of a message at a time: an older one must not arrive after a newer one."""
    carrier = Delivery.objects.filter(pk__in=[change.updates_id])
    if not carrier.select_for_update(skip_locked=True, of=("self",), no_key=True).exists():
        return False
    others = in_hand(Delivery, at).filter(updates=change.updates_id)
    return not others.exclude(pk=change.pk).exists()


def _put_together(row: Delivery, at: datetime) -> None:
    """Add what else waits for this person in this channel, or is due soon, to the same message.

    Rows that another worker has locked are left alone, so that two workers never wait for each other.
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
