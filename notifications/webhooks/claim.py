"""Claim callbacks for a time, and write down how the attempts ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Min

from foundation.clock import now
from foundation.db import statements
from foundation.outbox import outcome
from foundation.outbox.backoff import after_by_table
from foundation.outbox.claim import in_hand, take_each, takeable
from notifications.models import Callback
from notifications.webhooks import endpoints
from notifications.webhooks.schedule import ATTEMPTS, DELAYS
from notifications.webhooks.send import Reply

LEASE = timedelta(seconds=60)
"""Kept while an attempt lasts. What nobody has kept for so long was lost with its worker, and is free again."""

GONE = 410
LOST = "the worker was lost in the last attempt; it may have been delivered"


def claim(most: int) -> list[Callback]:
    """Up to `most` callbacks that are due, one for each endpoint, the oldest first: a slow one holds up no other."""
    at = now()
    first = _first_of_each(at, most)
    found = Callback.objects.filter(pk__in=first).select_related("endpoint").order_by("pk") if first else []
    return take_each(found, at, LEASE, attempts=ATTEMPTS)


def _first_of_each(at: datetime, most: int) -> list[int]:
    busy = in_hand(Callback, at).values("endpoint")
    due = Callback.objects.filter(takeable(at, attempts=ATTEMPTS), endpoint__disabled_at=None).exclude(
        endpoint__in=busy
    )
    firsts = due.order_by().values("endpoint").annotate(first=Min("pk")).order_by("first")
    return list(firsts.values_list("first", flat=True)[:most])


def bury_the_lost() -> int:
    """Callbacks whose worker was lost in their last attempt are dead.

    Delivered or not, a person has to look at them.
    """
    return outcome.bury_the_lost(Callback.objects.all(), attempts=ATTEMPTS, last_error=LOST)


def store_end(row: Callback, reply: Reply) -> bool:
    """Write the end of an attempt; False when the claim was lost to another worker, whose end counts."""
    with statements.writing():
        if not _ended(row, reply):
            return False
        if reply.status == GONE:
            endpoints.disable(row.endpoint, reason=f"it answered 410 to {row.webhook_id}")
        return True


def _ended(row: Callback, reply: Reply) -> bool:
    at, said = now(), {"last_status": reply.status, "last_error": reply.error}
    if reply.is_success:
        return outcome.ended(row, Callback.DELIVERED, delivered_at=at, **said)
    wait = after_by_table(DELAYS, row.attempts, retry_after=reply.retry_after)
    return outcome.ended(row, Callback.DEAD, **said) if wait is None else outcome.due_again(row, at + wait, **said)
