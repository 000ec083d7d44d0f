"""When a message may go: quiet hours and digests. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
LEAST_LEFT = 0.25
"""The share of the time for an answer for which a message may wait for a digest or the end of quiet hours."""


def is_quiet(at: datetime, *, zone: ZoneInfo, start: time, end: time) -> bool:
    """By the clock on the wall of the zone; `end` itself is not quiet. They may go over midnight."""
    wall = at.astimezone(zone).time()
    return start <= wall < end if start < end else wall >= start or wall < end


def after_quiet(at: datetime, *, zone: ZoneInfo, start: time, end: time) -> datetime:
    """`at`, or the first moment after the quiet hours that it falls into, in UTC."""
    if start == end or not is_quiet(at, zone=zone, start=start, end=end):
        return at
    local, at = at.astimezone(zone), at.astimezone(UTC)
    found = min(moment for days in (0, 1) for moment in _ends(local, end, zone, days) if moment >= at)
    while is_quiet(found, zone=zone, start=start, end=end):
        found = (
            found.replace(second=0, microsecond=0) + MINUTE
        )  # the clock skips the end: the first moment after the gap
    return found


def _ends(local: datetime, wall: time, zone: ZoneInfo, days: int) -> list[datetime]:
    """The instants at which a clock may show that time: two when it is put back over it. When it skips the time, all
    from where the old clock would have shown it.
    """
    first, second = (_instant(local, wall.replace(fold=fold), zone, days) for fold in (0, 1))
    return [max(second, local.astimezone(UTC))] if second < first and first > local else [first, second]


def _instant(local: datetime, wall: time, zone: ZoneInfo, days: int) -> datetime:
    return datetime.combine(local.date() + timedelta(days=days), wall, tzinfo=zone).astimezone(UTC)


def digest_at(at: datetime, *, digest: str, zone: ZoneInfo, hour: int) -> datetime:
    """When the digest goes that takes in what is told at `at`."""
    if digest == "hourly":
        return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if digest == "daily":
        local = at.astimezone(zone)
        today = _instant(local, time(hour), zone, 0)
        return today if today > at else _instant(local, time(hour), zone, 1)
    return at


def in_time(at: datetime, wished: datetime, until: datetime | None) -> datetime:
    """`wished`, or `at` where less than a quarter of the time until `until` would be left by then."""
    return at if until is not None and until - wished < (until - at) * LEAST_LEFT else wished
