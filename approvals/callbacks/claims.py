"""Claim callbacks for a time, and write down how the attempts ended."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db.models import F, Min, Q

from approvals.callbacks import endpoints
from approvals.callbacks.post import Reply
from approvals.callbacks.schedule import ATTEMPTS, delay
from approvals.models import Callback
from orchestration import sql
from orchestration.clock import now

LEASE = timedelta(seconds=60)
"""Longer than an attempt can take. What is claimed for longer was lost with its worker, and is free again."""

GONE = 410


def claim(most: int) -> list[Callback]:
    """Up to `most` callbacks that are due, one for each endpoint, the oldest first: a slow one holds up no other."""
    at = now()
    first = _first_of_each(at, most)
    found = Callback.objects.filter(pk__in=first).select_related("endpoint").order_by("pk") if first else []
    return [row for row in found if _take(row, at)]


def _first_of_each(at: datetime, most: int) -> list[int]:
    busy = Callback.objects.filter(status=Callback.SENDING, lease_until__gte=at).values("endpoint")
    due = Callback.objects.filter(_takeable(at), endpoint__disabled_at=None).exclude(endpoint__in=busy)
    firsts = due.order_by().values("endpoint").annotate(first=Min("pk")).order_by("first")
    return list(firsts.values_list("first", flat=True)[:most])


def _take(row: Callback, at: datetime) -> bool:
    """One conditional UPDATE, so that two workers never get the same one."""
    row.lease_until = at + LEASE
    with sql.writing():
        taken = Callback.objects.filter(_takeable(at), pk=row.pk, epoch=row.epoch).update(
            status=Callback.SENDING, lease_until=row.lease_until, epoch=F("epoch") + 1, attempts=F("attempts") + 1
        )
    row.status, row.epoch, row.attempts = Callback.SENDING, row.epoch + 1, row.attempts + 1
    return taken == 1


def _takeable(at: datetime) -> Q:
    waits = Q(status=Callback.QUEUED, due_at__lte=at)
    lost = Q(status=Callback.SENDING, lease_until__lt=at, attempts__lt=ATTEMPTS)
    return waits | lost


def bury_the_lost() -> int:
    """Those whose worker was lost in the last attempt are dead: delivered or not, they are for a person to look at."""
    lost = Callback.objects.filter(status=Callback.SENDING, lease_until__lt=now(), attempts__gte=ATTEMPTS)
    why = "the worker was lost in the last attempt; it may have been delivered"
    return lost.update(status=Callback.DEAD, last_error=why, lease_until=None) if lost.exists() else 0


def settle(row: Callback, reply: Reply) -> bool:
    """Write the end of an attempt; False when the claim was lost to another worker, whose end counts."""
    with sql.writing():
        mine = Callback.objects.filter(pk=row.pk, epoch=row.epoch, status=Callback.SENDING)
        if not mine.update(lease_until=None, last_status=reply.status, last_error=reply.error, **_end(row, reply)):
            return False
        if reply.status == GONE:
            endpoints.disable(row.endpoint, reason=f"it answered 410 to {row.webhook_id}")
        return True


def _end(row: Callback, reply: Reply) -> dict[str, object]:
    at = now()
    if reply.is_success:
        return {"status": Callback.DELIVERED, "delivered_at": at}
    spread = random.random()  # noqa: S311 - no secret
    wait = delay(made=row.attempts, spread=spread, retry_after=reply.retry_after)
    return {"status": Callback.DEAD} if wait is None else {"status": Callback.QUEUED, "due_at": at + wait}
