"""Add up what processes brought, into minutes, hours, days and in all; remove what is too old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, OuterRef

from foundation.clock import database_now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.telemetry import Values
from monitoring.metrics.store import merge
from monitoring.models import Point, Series

KEPT = {Point.MINUTE: timedelta(minutes=1440), Point.HOUR: timedelta(hours=720), Point.DAY: timedelta(days=400)}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment of what has come in all."""

LOCK = "zen.metrics"
AT_ONCE = 2000
MOST_REMOVED = 10_000

_TAKE = """
DELETE FROM monitoring_point
WHERE id IN (SELECT id FROM monitoring_point WHERE part > '' ORDER BY id LIMIT %s)
RETURNING series_id, at, count, total, hist
"""
_COLUMNS = "series_id, res, at, part, count, total, hist"
_SUM = "(series_id, res, at, part) DO UPDATE SET count = excluded.count, total = excluded.total, hist = excluded.hist"
Key = tuple[int, str, datetime]


def fold_all() -> int:
    """Add up all that has come; returns how many rows that was. Several at once do no harm."""
    found = 0
    while number := fold():
        found += number
    return found


def fold() -> int:
    """The same for 2,000 rows at most, in one transaction."""
    with statements.writing():
        statements.run(*lock_by_name(LOCK))
        rows, *_ = statements.rows_of(statements.Statement(_TAKE, [AT_ONCE]))
        if not rows:
            return 0
        sums: dict[Key, Values] = {}
        for series_id, at, number, total, hist in rows:
            values = as_values(number, total, statements.from_json(hist))
            for res, begin in begins(statements.as_moment(at)):
                merge(sums.setdefault((series_id, res, begin), Values()), values)
        _add_to_what_is_there(sums)
    return len(rows)


def begins(at: datetime) -> Iterable[tuple[str, datetime]]:
    """Of the minute, hour and day that a moment is in, and of all time."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return (
        (Point.MINUTE, at.replace(second=0, microsecond=0)), (Point.HOUR, hour), (Point.DAY, hour.replace(hour=0)),
        (Point.ALL, BEGINNING),
    )  # fmt: skip


def as_values(number: float, total: float, hist: dict[str, int]) -> Values:
    """A row's figures."""
    return Values(number, total, {int(bucket): many for bucket, many in hist.items()})


def _add_to_what_is_there(sums: dict[Key, Values]) -> None:
    known = Point.objects.filter(
        part="",
        series_id__in={key[0] for key in sums},
        at__in={key[2] for key in sums},
        res__in={key[1] for key in sums},
    )
    for series_id, res, at, number, total, hist in known.values_list(
        "series_id", "res", "at", "count", "total", "hist"
    ):
        if (series_id, res, at) in sums:
            merge(sums[series_id, res, at], as_values(number, total, hist))
    rows = [
        (series_id, res, statements.moment(at), "", one.count, one.total, statements.as_json(one.buckets))
        for (series_id, res, at), one in sums.items()
    ]
    statements.run(*statements.insert("monitoring_point", _COLUMNS, rows, on_conflict=_SUM))


def remove_old() -> int:
    """Remove minutes of more than a day ago, hours of 30 days, days of 400, and series of which only the sum is left.

    Returns how many points and series.
    """
    now, found = database_now(), 0
    for res, kept in KEPT.items():
        old = (
            Point.objects.filter(res=res, at__lt=now - kept, part="").order_by("res", "at").values_list("pk", flat=True)
        )
        ids = list(old[:MOST_REMOVED])
        for start in range(0, len(ids), 500):
            with statements.writing():
                found += Point.objects.filter(pk__in=ids[start : start + 500]).delete()[0]
    return found + _remove_forgotten()


def _remove_forgotten() -> int:
    """Nothing came to them for 400 days. What comes at this moment is refused, and brought again by its process."""
    mine = Point.objects.filter(series=OuterRef("pk"))
    old = Series.objects.filter(Exists(mine.filter(res=Point.ALL)), ~Exists(mine.exclude(res=Point.ALL, part="")))
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:500])
    if ids:
        with statements.writing():
            statements.run(*lock_by_name(LOCK))
            Series.objects.filter(pk__in=ids).filter(~Exists(mine.exclude(res=Point.ALL, part=""))).delete()
    return len(ids)
