"""A metric over time: one point for each minute, hour or day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

from foundation.clock import database_now, iso
from foundation.errors import BadInput
from monitoring.core.norms import Sketch
from monitoring.models import Point, Series
from monitoring.queries.families import FAMILIES, HISTOGRAM, nearest

STEPS = {
    Point.MINUTE: (timedelta(minutes=1), timedelta(hours=1)),
    Point.HOUR: (timedelta(hours=1), timedelta(days=2)),
    Point.DAY: (timedelta(days=1), timedelta(days=30)),
}
"""What a step is, and how far back it goes where nobody says so."""

MOST_POINTS, MOST_IN_ALL = 2000, 20_000
EARLIEST, LATEST = 2000, 2200


@dataclass(slots=True)
class SeriesPoint:
    """What came within a step that begins at `at`. `count`: how often, or a counter's increase; `total`: the sum of the
    values; a gauge is a value each minute, and its `mean` is what it was."""

    at: datetime
    count: float = 0.0
    total: float = 0.0
    buckets: dict[int, float] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        """The average value; None of a counter, and where nothing came."""
        return self.total / self.count if self.count and self.buckets else None

    def quantile(self, share: float) -> float | None:
        """What this share of the values is not above, to a fifth; None of a counter, and where nothing came."""
        return Sketch(self.buckets).quantile(share)

    def as_json(self) -> dict[str, Any]:
        """`at` in ISO 8601, seconds as floats; None where there are no values."""
        told = {"at": iso(self.at), "count": self.count, "sum": self.total, "mean": self.mean}
        return told | {f"p{share}": self.quantile(share / 100) for share in (50, 95, 99)}


def series(
    name: str, labels: Mapping[str, str], start: datetime | None, end: datetime | None, step: str
) -> list[SeriesPoint]:
    """The points from `start` to `end`, oldest first, empty ones too; all series that have these labels added up.

    Without `end`: until now; without `start`: an hour of minutes, two days of hours, thirty days. At most 2,000 points.

    Raises:
        BadInput: an unknown name, label or step, or too long a stretch.
    """
    return next(iter(series_by(name, "", labels, start, end, step).values()))


def series_by(
    name: str, by: str, labels: Mapping[str, str], start: datetime | None, end: datetime | None, step: str
) -> dict[str, list[SeriesPoint]]:
    """The same for each value of the label `by`; of '' once, as ''. Raises BadInput as `series` does."""
    _check(name, [*labels, *([by] if by else [])], step)
    for place, moment in (("from", start), ("to", end)):
        if moment is not None and not EARLIEST <= moment.year <= LATEST:
            raise BadInput(f"the year {moment.year} is none", field=place, remedy=f"from {EARLIEST} to {LATEST}")
    length, usual = STEPS[step]
    end = end or database_now()
    begin = _floor(start or end - usual, step)
    number = -(-int((end - begin) / timedelta(microseconds=1)) // int(length / timedelta(microseconds=1)))
    if begin >= end:
        raise BadInput("the stretch ends before it begins", field="from", remedy="give a moment before `to`")
    if number > MOST_POINTS:
        raise BadInput(
            f"that would be {number} points, and {MOST_POINTS} is the most", field="from", remedy="use a longer step"
        )
    groups = _groups(name, by, labels)
    lines = len(set(groups.values()))
    if lines * number > MOST_IN_ALL:
        raise BadInput(
            f"that would be {lines} lines of {number} points, and {MOST_IN_ALL} points is the most", field="by",
            remedy="name a label's value, use a longer step or a shorter stretch",
        )  # fmt: skip
    found = {value: [SeriesPoint(begin + length * index) for index in range(number)] for value in groups.values()}
    if not by:
        found.setdefault("", [SeriesPoint(begin + length * index) for index in range(number)])
    for pk, at, count, total, hist in _rows(groups, begin, end, step):
        point = found[groups[pk]][min(int((at - begin) / length), number - 1)]
        point.count, point.total = point.count + count, point.total + total
        for bucket, many in hist.items():
            point.buckets[int(bucket)] = point.buckets.get(int(bucket), 0) + many
    return found


def _check(name: str, labels: list[str], step: str) -> None:
    family = FAMILIES.get(name)
    if family is None:
        remedy = f"such as {', '.join(nearest(name) or list(FAMILIES)[1:3])}; GET /metrics has all"
        raise BadInput(f"there is no metric '{name[:80]}'", field="name", remedy=remedy)
    if family.kind not in ("counter", HISTOGRAM) and not family.kept:
        kept = ", ".join(one.name for one in FAMILIES.values() if one.kept)
        raise BadInput(f"the course of '{name}' is not stored", field="name", remedy=f"of its kind these are: {kept}")
    for label in labels:
        if label not in family.labels:
            has = ", ".join(family.labels) or "none"
            raise BadInput(f"{name} has no label '{label[:80]}'", field=label[:80], remedy=f"its labels: {has}")
    if step not in STEPS:
        raise BadInput(f"'{step[:20]}' is not a step", field="step", remedy=f"one of: {', '.join(STEPS)}")


def _floor(at: datetime, step: str) -> datetime:
    at = at.astimezone(UTC).replace(second=0, microsecond=0)
    if step == Point.MINUTE:
        return at
    return at.replace(minute=0) if step == Point.HOUR else at.replace(hour=0, minute=0)


def _groups(name: str, by: str, labels: Mapping[str, str]) -> dict[int, str]:
    """The ids of the series, each with the value it is shown under."""
    found = Series.objects.filter(name=name).values_list("pk", "labels")
    return {
        pk: has.get(by, "") if by else ""
        for pk, has in found
        if all(has.get(label) == value for label, value in labels.items())
    }


def _rows(groups: Mapping[int, str], begin: datetime, end: datetime, step: str) -> Iterable[tuple[Any, ...]]:
    """Those of the step, and what is not folded into them yet."""
    ids = list(groups)
    for start in range(0, len(ids), 500):
        within = Point.objects.filter(series_id__in=ids[start : start + 500], at__gte=begin, at__lt=end)
        told = within.filter(
            Q(res=step, part="") | ~Q(part="")
        )  # one statement: what is folded meanwhile is in it once
        yield from told.values_list("series_id", "at", "count", "total", "hist")
