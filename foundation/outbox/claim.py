"""Claim rows for a time, and accept their ends only under the claim that they were made under (fencing)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import F, Q, QuerySet

from foundation.clock import now
from foundation.db import statements
from foundation.outbox.model import OutboxRow

Row = TypeVar("Row", bound=OutboxRow)


def takeable(at: datetime, *, attempts: int | None = None) -> Q:
    """What may be claimed at `at` (the database's time, aware): what is due, and what a lost worker had in hand.

    `attempts`: of what was lost, only rows that have been claimed less often.
    """
    lost = Q(status=OutboxRow.SENDING, lease_until__lt=at)
    if attempts is not None:
        lost &= Q(attempts__lt=attempts)
    return Q(status=OutboxRow.QUEUED, due_at__lte=at) | lost


def take(row: OutboxRow, at: datetime, lease: timedelta, *, attempts: int | None = None, **values: object) -> bool:
    """Claim this row for `lease`, in one conditional UPDATE; False when another worker has it.

    `at`: now, aware. `attempts`: as of `takeable`. `values`: columns of the kind's own. On success the object has the
    row's new values.
    """
    until = at + lease
    free = _rows(type(row)).filter(takeable(at, attempts=attempts), pk=row.pk, epoch=row.epoch)
    claim = {"status": row.SENDING, "lease_until": until, "epoch": F("epoch") + 1, "attempts": F("attempts") + 1}
    if not free.update(**claim, **values):
        return False
    vars(row).update(values, status=row.SENDING, lease_until=until, epoch=row.epoch + 1, attempts=row.attempts + 1)
    return True


def take_each(rows: Iterable[Row], at: datetime, lease: timedelta, *, attempts: int) -> list[Row]:
    """Those of the rows that nobody else has, each claimed in a transaction of its own."""
    taken = []
    for row in rows:
        with statements.writing():
            if take(row, at, lease, attempts=attempts):
                taken.append(row)
    return taken


def up_to_the_lost(rows: Iterable[Row]) -> list[Row]:
    """Those before the first that a lost worker had in hand; when it is the first, that one alone.

    It may be what the worker was lost over: so those that would be taken with it do not lose their attempts to it.
    """
    found: list[Row] = []
    for row in rows:
        if vars(row)["status"] == OutboxRow.SENDING:
            return found or [row]
        found.append(row)
    return found


def keep(rows: Sequence[OutboxRow], lease: timedelta) -> None:
    """Claim each for `lease` from now on, if the claim that it was read under still holds."""
    until = now() + lease
    for row in rows:
        mine(row).update(lease_until=until)


def mine(row: Row) -> QuerySet[Row]:
    """The row, as long as the claim that `row` was read under holds; empty once another worker has it."""
    return _rows(type(row)).filter(pk=row.pk, epoch=row.epoch, status=OutboxRow.SENDING)


def in_hand(model: type[Row], at: datetime) -> QuerySet[Row]:
    """Rows that are claimed under a lease that has not ended."""
    return _rows(model).filter(status=OutboxRow.SENDING, lease_until__gte=at)


def _rows(model: type[Row]) -> QuerySet[Row]:
    found: QuerySet[Row] = model._default_manager.all()  # noqa: SLF001 - Django's own name for it
    return found
