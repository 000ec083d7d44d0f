"""A timeline as people write it, in seconds."""

from __future__ import annotations

import re

LONGEST_SECONDS = 366 * 86400
HOW = "write a number and a unit, such as '10d', '2 weeks' or '3 days 4 hours', at most 366 days"

_UNITS = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "mins": 60, "minute": 60,
    "minutes": 60, "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400,
    "days": 86400, "w": 604800, "wk": 604800, "wks": 604800, "week": 604800, "weeks": 604800, "month": 30 * 86400,
    "months": 30 * 86400, "year": 365 * 86400, "years": 365 * 86400,
}  # fmt: skip
_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_PART = re.compile(r"\s*(?:(\d{1,9}(?:\.\d{1,6})?)\s*|([a-z]+)\s+)([a-z]+)\s*(?:,|\band\b)?", re.ASCII)


def seconds_of(timeline: object) -> float:
    """The seconds of '2 weeks', '10d', '1 week, 2 days' or 'three months' (of 30 days each).

    Raises:
        ValueError: it is no such time; the text says what is wrong.
    """
    if not isinstance(timeline, str):
        raise ValueError("is no text with a number and a unit")
    text, total, at = timeline.strip().lower()[:200], 0.0, 0
    while at < len(text):
        found = _PART.match(text, at)
        number = _number(found) if found else None
        if found is None or number is None or found.group(3) not in _UNITS:
            raise ValueError("is no length of time")
        total += number * _UNITS[found.group(3)]
        at = found.end()
    if not 0 < total <= LONGEST_SECONDS:
        raise ValueError("is no length of time" if not total else "is longer than 366 days")
    return total


def _number(found: re.Match[str]) -> float | None:
    return float(found.group(1)) if found.group(1) else _WORDS.get(found.group(2))
