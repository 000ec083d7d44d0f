"""Lengths of time as people write them: `90s`, `15m`, `4h`, `2d`, `4h business`, `2d business`."""

from __future__ import annotations

import re

from approvals.core.hours import Hours, Span

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
