"""The one clock of all apps: the database's. Nothing that decides whether a time is up reads this machine's clock.

It is read seldom and carried on by this machine's monotonic clock, so `now` costs no query, and a wall clock that is
wrong, or is put right, changes nothing. The error is at most half of the round trip of the last reading (one that took
longer than LONGEST_TRIP is not used while there is another), plus what the monotonic clock drifts in FRESH_SECONDS:
milliseconds. SQLite has no clock but this machine's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

FRESH_SECONDS = 30.0
"""A process that opens connections reads the clock again after this; a worker at every renewal of its lease."""

LONGEST_TRIP = 0.5
"""Seconds. A reading that took longer is not exact enough to replace another of the last ten minutes."""

STALE_SECONDS = 600.0

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)  # goes on while the machine sleeps, which CLOCK_MONOTONIC does not


def ticks() -> float:
    """Seconds of a clock that cannot be set."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the database's clock showed, and between which ticks of ours it was asked."""

    shown: datetime
    before: float
    after: float

    @property
    def trip(self) -> float:
        """Seconds between the question to the database and its answer."""
        return self.after - self.before

    def at(self, tick: float) -> datetime:
        """What it shows at another tick, within half of the trip."""
        return self.shown + timedelta(seconds=tick - (self.before + self.after) / 2)


def better(old: Reading | None, new: Reading) -> Reading:
    """The one to go by from now on."""
    if old is None or new.trip <= LONGEST_TRIP or new.trip <= old.trip:
        return new
    return new if new.after - old.after > STALE_SECONDS else old


_reading: Reading | None = None


def now() -> datetime:
    """The database's time, in UTC; before the first reading, and on SQLite, this machine's."""
    reading = _reading
    return timezone.now() if reading is None else reading.at(ticks())


def read() -> None:
    """Read the database's clock, on this thread's connection."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            _note(cursor)


def read_on_connect(connection: Any, **_: Any) -> None:
    """For processes that keep no lease: each new connection is an occasion."""
    if connection.vendor != "postgresql" or connection.alias != "default":
        return
    if _reading is None or ticks() - _reading.after > FRESH_SECONDS:
        with connection.connection.cursor() as cursor:  # the driver's own: no query of a request
            _note(cursor)


def ask(cursor: Any) -> datetime:
    """What PostgreSQL's clock shows at this moment, in UTC: everything but SQL that compares with it asks here."""
    cursor.execute("SELECT clock_timestamp()")
    shown: datetime = cursor.fetchone()[0]
    return shown.astimezone(UTC)


def database_now() -> datetime:
    """The database's clock at this moment, to the microsecond, for a query; `now` is within milliseconds of it.

    SQLite has no server: all processes that open its file are on one machine, and share that machine's clock.
    """
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        return ask(cursor)


def _note(cursor: Any) -> None:
    global _reading
    before = ticks()
    reading = Reading(shown=ask(cursor), before=before, after=ticks())
    _reading = better(_reading, reading)


def iso(moment: datetime | None) -> str | None:
    """An aware datetime in ISO 8601, as stored JSON has it; None stays None."""
    return moment.isoformat() if moment else None
