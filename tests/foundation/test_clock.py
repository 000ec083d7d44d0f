"""The clock of all rooms is the database's, whatever the machine's own clock shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from foundation import clock
from foundation.clock import LONGEST_TRIP, STALE_SECONDS, Reading, better

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def reading(*, at: float = 0.0, trip: float = 0.01) -> Reading:
    return Reading(shown=NOON, before=at, after=at + trip)


def test_a_reading_is_carried_on_from_the_middle_of_its_trip() -> None:
    one = reading(at=100, trip=0.2)
    assert one.at(100.1) == NOON
    assert one.at(160.1) == NOON + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("old", "new", "newer"),
    [
        (None, reading(trip=9), True),
        (reading(), reading(at=5, trip=0.4), True),
        (reading(), reading(at=5, trip=LONGEST_TRIP + 1), False),
        (reading(trip=3), reading(at=5, trip=2), True),
        (reading(), reading(at=STALE_SECONDS + 1, trip=LONGEST_TRIP + 1), True),
    ],
)
def test_a_slow_reading_does_not_replace_a_good_one(old: Reading | None, new: Reading, newer: bool) -> None:
    assert (better(old, new) is new) is newer


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db
def test_a_wrong_clock_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock.read()
    ahead = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (shown,) = cursor.fetchone()
    assert abs(clock.now() - shown) < timedelta(minutes=30)


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_reading", None)
    connection.close()
    connection.ensure_connection()
    assert (clock._reading is not None) is (connection.vendor == "postgresql")
