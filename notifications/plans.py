"""The delivery rows of a notice for one person: which channels, and not before when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from notifications.models import Contact, Delivery, Notice
from notifications.people import Reached, Route
from notifications.text import one_line
from notifications.when import after_quiet, digest_at


def rows_for(notice: Notice, to: Reached, at: datetime) -> Iterator[Delivery]:
    """One row for each channel that is tried now. Nobody to reach is a row too: it will be dead, and seen."""
    why = _why_not(notice, to)
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
        )
        if why:
            row.status, row.error, row.ended_at = Delivery.CANCELLED, why, at
        elif not notice.urgent:
            row.due_at = _not_before(row, to.contact, at)
        yield row


def _why_not(notice: Notice, to: Reached) -> str:
    if to.contact is not None and to.contact.muted and not notice.urgent:
        return "the person has muted what is not urgent"
    told = Delivery.objects.filter(notice__subject=notice.subject, person_key=to.person.key, updates=None)
    count = told.exclude(status=Delivery.CANCELLED).values("notice").distinct().count()
    if count >= settings.ZEN_NOTIFY_CAP:
        return f"the person was told {count} times of this subject, and ZEN_NOTIFY_CAP is {settings.ZEN_NOTIFY_CAP}"
    return ""


def _not_before(row: Delivery, contact: Contact | None, at: datetime) -> datetime:
    due = _after_burst(row, at)
    if contact is None:
        return due
    zone = ZoneInfo(contact.zone)
    due = digest_at(due, digest=contact.digest, zone=zone, hour=settings.ZEN_NOTIFY_DIGEST_HOUR)
    if contact.quiet_from is None or contact.quiet_to is None:
        return due
    return after_quiet(due, zone=zone, start=contact.quiet_from, end=contact.quiet_to)


def _after_burst(row: Delivery, at: datetime) -> datetime:
    """Who was told a moment ago hears the next things together, when the moment is over."""
    window = timedelta(seconds=settings.ZEN_NOTIFY_COALESCE_SECONDS)
    same = Delivery.objects.filter(person_key=row.person_key, channel=row.channel_id, updates=None, urgent=False)
    if not window or row.channel_id is None:
        return at
    if same.filter(status=Delivery.SENDING).exists():
        return at + window
    last = same.filter(status=Delivery.SENT, sent_at__gt=at - window).order_by("-sent_at").first()
    return last.sent_at + window if last is not None and last.sent_at is not None else at
