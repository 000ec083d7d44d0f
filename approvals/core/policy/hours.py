"""Lengths of time as people write them (`90s`, `4h business`), and working hours: when a span is over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """`days`: 0 is Monday. `opens` and `closes` are wall-clock times of `zone`; `holidays` are its free dates."""

    zone: str = "UTC"
    days: frozenset[int] = frozenset(range(5))
    opens: time = time(9)
    closes: time = time(17)
    holidays: frozenset[date] = field(default=frozenset())

    @property
    def day_seconds(self) -> float:
        """The length of an ordinary working day."""
        return (_minutes(self.closes) - _minutes(self.opens)) * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A length of time. `business`: only the working hours count."""

    seconds: float
    business: bool = False


def due(start: datetime, span: Span, hours: Hours) -> datetime:
    """When `span` is over, counted from `start` (an aware time); the result is in UTC."""
    if not span.business:
        return start + timedelta(seconds=span.seconds)
    left = timedelta(seconds=span.seconds)
    for opens, closes in _intervals(start, hours):
        begin = max(opens, start.astimezone(UTC))
        if begin + left <= closes:
            return begin + left
        left -= max(closes - begin, timedelta())
    raise ValueError(f"these hours hold less than {span.seconds:.0f} s of work in {LONGEST_DAYS} days")


def worked(start: datetime, end: datetime, span: Span, hours: Hours) -> float:
    """How many seconds from `start` to `end` count for a span of this kind."""
    if not span.business:
        return max((end - start).total_seconds(), 0.0)
    done = 0.0
    for opens, closes in _intervals(start, hours):
        if opens >= end:
            break
        done += max((min(closes, end) - max(opens, start)).total_seconds(), 0.0)
    return done


def _intervals(start: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """The working days from the one of `start` on, as UTC: a day with a change of the clocks is as long as it is."""
    zone = ZoneInfo(hours.zone)
    first = start.astimezone(zone).date()
    for number in range(LONGEST_DAYS):
        day = first + timedelta(days=number)
        if day.weekday() not in hours.days or day in hours.holidays:
            continue
        opens = datetime.combine(day, hours.opens, zone).astimezone(UTC)
        closes = datetime.combine(day, hours.closes, zone).astimezone(UTC)
        if start.astimezone(UTC) < closes and opens < closes:
            yield opens, closes


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])(\s+business)?\s*")
LONGEST_SECONDS = 366 * 86_400.0
EXAMPLE = "such as 30m, 4h, 2d or '8h business'"


def span_of(text: str | float, hours: Hours | None = None) -> Span:
    """`text` may be a number of seconds. A business day is as long as a working day of `hours`. Raises ValueError."""
    if isinstance(text, int | float):
        return _checked(Span(seconds=float(text)), text)
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a length of time, {EXAMPLE}")
    number, unit, business = float(found[1]), found[2], bool(found[3])
    day = (hours or Hours()).day_seconds
    units = _SECONDS | {"d": day, "w": 5 * day} if business else _SECONDS
    return _checked(Span(seconds=number * units[unit], business=business), text)


def _checked(span: Span, text: str | float) -> Span:
    if not 0 < span.seconds <= LONGEST_SECONDS:
        raise ValueError(f"{text!r} is not between a moment and 366 days")
    return span
