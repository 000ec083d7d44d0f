"""When a message may go, on days that have 23, 24 or 25 hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.outbox.backoff import pause
from notifications.routing.quiet_hours import after_quiet, digest_at, is_quiet

BERLIN, NEW_YORK, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")
ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
WALL = st.builds(time, st.integers(0, 23), st.integers(0, 59))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "start", "end", "expected"),
    [
        ("2026-06-10T21:00", BERLIN, "22:00", "07:00", "2026-06-11T05:00"),
        ("2026-06-11T04:59", BERLIN, "22:00", "07:00", "2026-06-11T05:00"),
        ("2026-06-11T05:00", BERLIN, "22:00", "07:00", "2026-06-11T05:00"),
        ("2026-06-10T12:00", BERLIN, "22:00", "07:00", "2026-06-10T12:00"),
        ("2026-06-10T11:30", BERLIN, "13:00", "14:00", "2026-06-10T12:00"),
        # the clock goes forward in the night: the quiet hours are one hour shorter
        ("2026-03-28T22:00", BERLIN, "22:00", "07:00", "2026-03-29T05:00"),
        # and back: one hour longer
        ("2026-10-24T21:00", BERLIN, "22:00", "07:00", "2026-10-25T06:00"),
        # they end at a time that the clock skips: at the first moment after the gap
        ("2026-03-08T05:00", NEW_YORK, "22:00", "02:30", "2026-03-08T07:00"),
        ("2026-03-08T06:45", NEW_YORK, "22:00", "02:30", "2026-03-08T07:00"),
        ("2026-03-08T06:45:30", NEW_YORK, "22:00", "02:30", "2026-03-08T07:00"),
        # they end at a time that the clock shows twice
        ("2026-11-01T04:00", NEW_YORK, "22:00", "01:30", "2026-11-01T05:30"),
        ("2026-11-01T06:10", NEW_YORK, "22:00", "01:30", "2026-11-01T06:30"),
        # a gap of half an hour
        ("2026-10-03T15:00", LORD_HOWE, "22:00", "02:15", "2026-10-03T15:30"),
    ],
)
def test_what_falls_into_quiet_hours_waits_for_their_end(
    at: str, zone: ZoneInfo, start: str, end: str, expected: str
) -> None:
    hours = {"start": time.fromisoformat(start), "end": time.fromisoformat(end)}
    assert after_quiet(utc(at), zone=zone, **hours) == utc(expected)


@given(at=MOMENTS, zone=ZONES, start=WALL, end=WALL)
def test_nothing_is_quiet_after_the_wait_and_everything_is_before(
    at: datetime, zone: ZoneInfo, start: time, end: time
) -> None:
    found = after_quiet(at, zone=zone, start=start, end=end)
    assert found >= at
    if start != end:
        assert not is_quiet(found, zone=zone, start=start, end=end)
        assert found - at <= timedelta(hours=25)
        between = at + (found - at) * 0.999
        assert found == at or is_quiet(between, zone=zone, start=start, end=end)
        almost = found - timedelta(seconds=1)
        assert almost <= at or is_quiet(almost, zone=zone, start=start, end=end)


@pytest.mark.parametrize(
    ("digest", "at", "expected"),
    [
        ("at_once", "2026-06-10T10:17", "2026-06-10T10:17"),
        ("hourly", "2026-06-10T10:17", "2026-06-10T11:00"),
        ("hourly", "2026-06-10T11:00", "2026-06-10T12:00"),
        ("daily", "2026-06-10T05:59", "2026-06-10T06:00"),
        ("daily", "2026-06-10T06:00", "2026-06-11T06:00"),
        ("daily", "2026-03-28T10:00", "2026-03-29T06:00"),
        ("daily", "2026-10-24T10:00", "2026-10-25T07:00"),
    ],
)
def test_a_digest_goes_at_its_hour(digest: str, at: str, expected: str) -> None:
    assert digest_at(utc(at), digest=digest, zone=BERLIN, hour=8) == utc(expected)


@given(at=MOMENTS, zone=ZONES, hour=st.integers(0, 23), digest=st.sampled_from(["hourly", "daily"]))
def test_a_digest_is_ahead_and_not_far(at: datetime, zone: ZoneInfo, hour: int, digest: str) -> None:
    found = digest_at(at, digest=digest, zone=zone, hour=hour)
    assert at < found <= at + timedelta(hours=26 if digest == "daily" else 1)


@given(attempts=st.integers(0, 10_000), spread=st.floats(0, 1), wish=st.none() | st.floats(0, 1e12))
def test_a_pause_is_bounded_and_never_before_what_the_receiver_asked_for(
    attempts: int, spread: float, wish: float | None
) -> None:
    found = pause(attempts=attempts, spread=spread, retry_after=wish).total_seconds()
    if wish:
        assert min(wish, 86_400) - 1e-5 <= found <= 86_400 * 1.1
    else:
        assert 1 <= found <= 1800


def test_pauses_grow_with_each_attempt() -> None:
    assert [pause(attempts=n, spread=1).total_seconds() for n in (1, 2, 3, 4)] == [5, 10, 20, 40]
    assert pause(attempts=9, spread=0.5).total_seconds() == 640
