"""Times for people: in the zone of the request's policy, with UTC beside."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from approvals.models import Request

DAY, CLOCK, SECONDS = "%Y-%m-%d", "%H:%M", "%H:%M:%S"


def zone_of(request: Request) -> ZoneInfo:
    """The zone of its policy; UTC where that names none."""
    hours = request.policy.body.get("hours") or {}
    return ZoneInfo(hours.get("zone") or "UTC")


def shown(at: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Such as 2026-11-26 06:31 PST (14:31 UTC); the day in UTC is written where it is another one."""
    clock = SECONDS if seconds else CLOCK
    there, utc = at.astimezone(zone), at.astimezone(UTC)
    if there.tzname() == "UTC":
        return f"{utc:{DAY} {clock}} UTC"
    beside = f"{utc:{clock}} UTC" if utc.date() == there.date() else f"{utc:{DAY} {clock}} UTC"
    return f"{there:{DAY} {clock}} {there:%Z} ({beside})"


def time_in(request: Request, at: datetime, *, seconds: bool = False) -> str:
    """The time (aware) in the request's zone and in UTC."""
    return shown(at, zone_of(request), seconds=seconds)
