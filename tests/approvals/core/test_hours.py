"""Working time across nights, weekends, holidays and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.core.policy.hours import Hours, Span, due, span_of

BERLIN = Hours(zone="Europe/Berlin", holidays=frozenset({date(2026, 12, 25)}))


def after(start: str, text: str, hours: Hours = BERLIN) -> str:
    moment = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(hours.zone))
    return f"{due(moment, span_of(text, hours), hours).astimezone(ZoneInfo(hours.zone)):%a %d %H:%M}"


@pytest.mark.parametrize(
    ("start", "text", "end"),
    [
        ("2026-11-25T10:00", "2h business", "Wed 25 12:00"),
        ("2026-11-25T16:00", "2h business", "Thu 26 10:00"),  # over night
        ("2026-11-27T16:30", "1h business", "Mon 30 09:30"),  # over a weekend
        ("2026-11-28T12:00", "1h business", "Mon 30 10:00"),  # begun on a Saturday
        ("2026-11-25T05:00", "1h business", "Wed 25 10:00"),  # begun before the day
        ("2026-12-24T16:00", "2h business", "Mon 28 10:00"),  # over a holiday and a weekend
        ("2026-11-25T10:00", "2d business", "Fri 27 10:00"),
        ("2026-11-25T10:00", "1d", "Thu 26 10:00"),
        ("2026-11-25T16:00", "1h business", "Wed 25 17:00"),  # the end of the day itself
    ],
)
def test_working_time(start: str, text: str, end: str) -> None:
    assert after(start, text) == end


def test_a_night_shift_of_the_clocks_is_no_working_time() -> None:
    nights = Hours(zone="Europe/Berlin", days=frozenset(range(7)), opens=time(0), closes=time(6))
    assert after("2026-03-29T00:00", "5h business", nights) == "Sun 29 06:00"  # one hour is not there
    assert after("2026-10-25T00:00", "7h business", nights) == "Sun 25 06:00"  # one hour is there twice


@given(st.integers(0, 366 * 86_400), st.integers(1, 200_000), st.integers(1, 200_000))
def test_two_spans_are_as_long_as_their_sum(offset: int, one: int, other: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=offset)
    first, second, both = (Span(seconds=float(n), business=True) for n in (one, other, one + other))
    assert due(due(start, first, BERLIN), second, BERLIN) == due(start, both, BERLIN)
    assert due(start, first, BERLIN) >= start + timedelta(seconds=one)


@pytest.mark.parametrize("text", ["", "4", "4 hours", "-1h", "0s", "400d", "1h Business", "h"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        span_of(text)
