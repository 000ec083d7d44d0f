"""When a limit of a model's service ends, read from how agents say it.

Services give seconds, agents write for people: "try again in 2 days 17 hours", "resets 8pm (Europe/Berlin)", "try again
at Aug 20th, 2026 7:38 AM". A moment without a zone is in the zone of this process, which its agents have as well. What
is no moment for sure is none: then the endpoint is looked at again soon.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LONGEST_WAIT = 7 * 24 * 3600.0
JUST_PAST = timedelta(hours=1)
"""A time of day that is over since less than this is not meant for tomorrow: that limit has ended."""
LONG_PAST = timedelta(days=1)
"""A day without its year that is over for longer is one of next year."""

SHORT, SHORTEST = re.compile(r"(?:session|[1-5]-hour) limit", re.IGNORECASE), timedelta(hours=6)
"""Windows of five hours at most: an end that lies later was told too late, or in another zone."""

LEAD = r"(?:retry|try again|come back|resets?|available|until|again)"
PART = r"\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![a-z])"
PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
RETRY_AFTER = re.compile(r"retry[-_ ]?after[\"']?\s*[:=]?\s*[\"']?(\d+(?:\.\d+)?)(?![\d.:-]*[a-z\d])", re.IGNORECASE)
IN_SECONDS = re.compile(r"resets?_(?:in|after)_seconds[\"']?\s*[:=]\s*[\"']?(\d+(?:\.\d+)?)", re.IGNORECASE)
FOR = re.compile(rf"{LEAD}[^\n]{{0,40}}?\b(?:in|after)\s+((?:{PART}[\s,]*(?:and\s+)?)+)", re.IGNORECASE)
SOON = re.compile(rf"{LEAD} in less than a minute", re.IGNORECASE)
MOMENT = re.compile(
    rf"{LEAD}[^\n]{{0,60}}?\b(\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))", re.IGNORECASE
)
EPOCH = re.compile(r"(?:resets?|limit reached)[^0-9\n]{0,20}(\d{10})\b", re.IGNORECASE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WRITTEN = re.compile(
    rf"{LEAD}:?\s+(?:(?:on|at)\s+)?"
    rf"(?:(?P<weekday>{'|'.join(DAYS)})[a-z]*,?\s+)?"
    rf"(?:(?P<month>{'|'.join(MONTHS)})[a-z]*\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?,?\s+)?"
    r"(?:at\s+)?(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?:(?P<half>[ap])\.?m\b\.?)?"
    r"\s*(?:\(\s*(?P<zone>[^()\s]{1,64})\s*\)|(?P<utc>UTC|GMT)\b)?",
    re.IGNORECASE,
)


def wait_of(text: str) -> float | None:
    """The seconds from now after which it may be tried again; None where none are told."""
    for number in (RETRY_AFTER, IN_SECONDS):
        if found := number.search(text):
            return min(float(found[1]), LONGEST_WAIT)
    if found := FOR.search(text):
        return min(sum(float(number) * _seconds(unit) for number, unit in PIECE.findall(found[1])), LONGEST_WAIT)
    return 60.0 if SOON.search(text) else None


def moment_of(text: str, now: datetime) -> datetime | None:
    """The aware moment after which it may be tried again; None where none is told, or that cannot be told for sure."""
    found = _sane(lambda: _told(text, now))
    if found is None or (SHORT.search(text) and found > now + SHORTEST):
        return None
    return min(found, now + timedelta(seconds=LONGEST_WAIT))


def _told(text: str, now: datetime) -> datetime | None:
    if found := MOMENT.search(text):
        return datetime.fromisoformat(found[1])
    if found := EPOCH.search(text):
        return datetime.fromtimestamp(int(found[1]), UTC)
    found = WRITTEN.search(text)
    return _written(found, now) if found else None


def _seconds(unit: str) -> float:
    name = unit.lower()
    return 0.001 if name == "ms" or name.startswith("milli") else UNITS[name[0]]


def _sane(read: Callable[[], datetime | None]) -> datetime | None:
    """None for the 31st of February, and for zones that are none."""
    try:
        return read()
    except (ValueError, KeyError, OSError, OverflowError):
        return None


def _written(found: re.Match[str], now: datetime) -> datetime | None:
    """A time of day needs its minutes or its half of the day: else it is any number."""
    if found["minute"] is None and found["half"] is None:
        return None
    name = found["zone"] or found["utc"]
    zone = ZoneInfo(name.upper() if name.upper() in ("UTC", "GMT") else name) if name else None
    here = now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    at = _on_its_day(found, here, here.replace(hour=_hour(found), minute=int(found["minute"] or 0)))
    return (at.replace(tzinfo=zone) if zone else at).astimezone(UTC)


def _hour(found: re.Match[str]) -> int:
    hour = int(found["hour"])
    if found["half"] is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} is no hour of half a day")
    return hour % 12 + (12 if found["half"].lower() == "p" else 0)


def _on_its_day(found: re.Match[str], here: datetime, today: datetime) -> datetime:
    if found["month"]:
        month, day = MONTHS.index(found["month"].lower()) + 1, int(found["day"])
        at = today.replace(year=int(found["year"] or today.year), month=month, day=day)
        is_over = not found["year"] and at < here - LONG_PAST
        return at.replace(year=at.year + 1) if is_over else at
    if found["weekday"]:
        days, again = (DAYS.index(found["weekday"].lower()) - here.weekday()) % 7, 7
    else:
        days, again = 0, 1
    at = today + timedelta(days=days)
    return at + timedelta(days=again) if at < here - JUST_PAST else at
