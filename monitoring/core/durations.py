"""Lengths of time in words."""

from __future__ import annotations

from datetime import datetime, timedelta


def in_words(seconds: float) -> str:
    """Such as `40 s`, `14 min`, `3 h`, `26 h`, `4 d`: one unit, the largest of which there are two, rounded down."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def since(moment: datetime, now: datetime) -> str:
    """How long ago it was, in words."""
    return in_words((now - moment).total_seconds())


def clock(moment: datetime) -> str:
    """The time of day with its date, in UTC, such as `2026-11-27 12:04:10 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def after(moment: datetime, seconds: float) -> datetime:
    """So many seconds later."""
    return moment + timedelta(seconds=seconds)
