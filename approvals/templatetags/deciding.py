"""What the pages of approvals need to show words, times and what waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django import template

from approvals import badges
from approvals.models import Request
from approvals.policies.local_times import time_in
from approvals.queries import requests
from approvals.queries.inbox import inbox_of, my_turn, waiting_number
from foundation.clock import now

register = template.Library()
SOON, URGENT = timedelta(hours=24), timedelta(hours=4)
UNITS = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


class Left(NamedTuple):
    text: str
    tone: str


@register.filter
def time_left(until: datetime | None, at: datetime | None = None) -> Left:
    """In two units at most: 2 d 4 h left."""
    if until is None:
        return Left("no deadline", "calm")
    left = until - (at or now())
    if left <= timedelta():
        return Left("the time is over", "bad")
    tone = "bad" if left < URGENT else "warn" if left < SOON else "calm"
    parts: list[str] = []
    rest = left
    for unit, word in UNITS:
        number, rest = divmod(rest, unit)
        if number or parts:
            parts.append(f"{number} {word}" if number else "")
        if len(parts) == 2:
            break
    return Left(" ".join(part for part in parts if part) + " left" if parts else "less than a minute left", tone)


@register.filter
def at(values: dict[str, Any] | None, name: str) -> Any:
    """What stands under a name; None for nothing."""
    return (values or {}).get(name)


@register.filter
def iso(value: datetime | str | None) -> str:
    """For machines."""
    return value if isinstance(value, str) else value.astimezone(UTC).isoformat() if value else ""


@register.filter
def day_and_time(value: datetime | str | None, about: Request | None = None) -> str:
    """In UTC; of a request in its policy's zone, with UTC beside."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment is None:
        return ""
    return time_in(about, moment) if about is not None else f"{moment.astimezone(UTC):%d %b %Y, %H:%M} UTC"


@register.inclusion_tag("orchestration/admin/badge.html")
def status_badge(word: str) -> dict[str, str]:
    return {"word": badges.in_words(word), **badges.look(word)._asdict()}


@register.inclusion_tag("approvals/admin/waiting.html", takes_context=True)
def waiting_for_me(context: dict[str, Any], most: int = 5) -> dict[str, Any]:
    """The most urgent requests that wait for this account."""
    user = context["request"].user
    found = inbox_of(user).defer("content", "earlier", "state", "plan")[:most]
    own = my_turn(user).defer(*requests.LARGE)[:most]
    return {"waiting": list(found), "number": waiting_number(user), "own": list(own)}
