"""What becomes of a row: ended, due again, put off, dead with its worker, or sent again by a person.

Ends are written under the claim that the attempt was made under. False: the claim was lost to another worker, whose end
counts, and nothing is written. `values` are the kind's own columns. Times are the database's, aware.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from foundation.clock import now
from foundation.outbox.claim import Row, mine
from foundation.outbox.model import OutboxRow


def ended(row: OutboxRow, status: str, **values: object) -> bool:
    """For good: `status` is DEAD, or a word of the kind's own."""
    end = {"status": status, "lease_until": None, **values}
    return bool(mine(row).update(**end))


def due_again(row: OutboxRow, at: datetime, **values: object) -> bool:
    """The attempt failed, and the next is at `at`."""
    return ended(row, row.QUEUED, due_at=at, **values)


def put_off(row: OutboxRow, at: datetime) -> bool:
    """No attempt was made, so none is counted."""
    return due_again(row, at, attempts=max(row.attempts - 1, 0))


def bury_the_lost(rows: QuerySet[Row], *, attempts: int, **values: object) -> int:
    """Of these, those whose worker was lost in the last of `attempts` are dead; returns how many.

    Delivered or not, they are for a person to look at.
    """
    lost = lost_in_the_last(rows, attempts=attempts)
    end = {"status": OutboxRow.DEAD, "lease_until": None, **values}
    return lost.update(**end) if lost.exists() else 0


def lost_in_the_last(rows: QuerySet[Row], *, attempts: int) -> QuerySet[Row]:
    """Of these, those whose worker was lost in the last of `attempts`."""
    return rows.filter(status=OutboxRow.SENDING, lease_until__lt=now(), attempts__gte=attempts)


def send_again(row: OutboxRow, **values: object) -> None:
    """At once, from the first attempt on. The caller holds the row's lock, and has seen that nobody sends it."""
    changed = {"status": row.QUEUED, "attempts": 0, "due_at": now(), **values}
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
