"""The delivery rows of a notice for one person: which channels, and not before when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from foundation.visible_text import one_line
from notifications.models import Contact, Delivery, Notice
from notifications.routing.frequency_cap import Past
from notifications.routing.quiet_hours import after_quiet, digest_at, in_time
from notifications.routing.recipients import MUTED, Reached, Route


def rows_for(
    notice: Notice, to: Reached, at: datetime, past: Past, until: datetime | None = None
) -> Iterator[Delivery]:
    """One row for each channel that is tried now.

    A person without a channel gets a row too, which will be dead, and shown.
    """
    why = _why_not(notice, to, past)
    every = to.contact is not None and to.contact.mode == Contact.ALL
    first, later = (to.routes, []) if every else (to.routes[:1], to.routes[1:])
    rest = [{"channel": route.channel, "address": route.address} for route in later]
    tried: list[Route | None] = [*first] or [None]
    for route in tried:
        row = Delivery(
            notice=notice,
            channel_id=route.channel if route else None,
            user_id=to.person.user_id,
            person_key=to.person.key,
            person_name=one_line(to.person.name, 200),
            address=route.address if route else "",
            url=to.person.url,
            urgent=notice.urgent,
            rest=rest,
            created_at=at,
            due_at=at,
            until=until,
        )
        if why:
            row.status, row.error, row.ended_at = Delivery.CANCELLED, why, at
        elif not notice.urgent:
            row.due_at = in_time(at, _not_before(row, to.contact, at, past), until)
        yield row


def _why_not(notice: Notice, to: Reached, past: Past) -> str:
    if to.contact is not None and to.contact.muted and not notice.urgent:
        return MUTED
    count = past.told.get(to.person.key, 0)
    if count >= settings.ZEN_NOTIFY_CAP:
        return f"the person was told {count} times of this subject, and ZEN_NOTIFY_CAP is {settings.ZEN_NOTIFY_CAP}"
    return ""


def _not_before(row: Delivery, contact: Contact | None, at: datetime, past: Past) -> datetime:
    due = past.after_burst(row, at)
    if contact is None:
        return due
    zone = ZoneInfo(contact.zone)
    return awake(contact, digest_at(due, digest=contact.digest, zone=zone, hour=settings.ZEN_NOTIFY_DIGEST_HOUR))


def awake(contact: Contact, at: datetime) -> datetime:
    """`at`, or the end of the person's quiet hours."""
    if contact.quiet_from is None or contact.quiet_to is None:
        return at
    return after_quiet(at, zone=ZoneInfo(contact.zone), start=contact.quiet_from, end=contact.quiet_to)
