"""Tell people and channels of something: rows now, messages after the commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction

from foundation.clock import now
from foundation.errors import BadInput
from foundation.nudge import nudge_on_commit
from notifications.message import Message, Person, checked
from notifications.models import Channel, Delivery, Notice
from notifications.routing.frequency_cap import Past
from notifications.routing.plan_deliveries import rows_for
from notifications.routing.recipients import reached
from notifications.services.store_notice import stored_once


def notify(
    *,
    subject: str,
    kind: str,
    message: Message,
    people: Sequence[Person] = (),
    channels: Sequence[str] = (),
    dedupe: str,
    urgent: bool = False,
    capped: bool = True,
    until: datetime | None = None,
) -> Notice:
    """Store a notice and its deliveries, in the caller's transaction or in one of its own. Returns the notice.

    `subject`: what it is about, such as approval:17; later notices and `supersede` refer to it. `kind`: what happened,
    such as approval.asked. `message`: what it says. `people`: whom it is for, each by their own channels; `channels`:
    names of channels that get it as well. `dedupe`: the same one again changes nothing. `urgent`: at once and alone: no
    quiet hours, no digest, no coalescing. `capped`: not sent to a person who was told of the subject too often. `until`
    (aware): by when people can answer; a message that would wait for a digest or the end of quiet hours until little of
    that time is left goes at once.

    Raises:
        BadInput: a subject, kind, dedupe or message that cannot be stored, an unknown channel, or a person whom no
            channel reaches (field `people`).
    """
    _check_words(subject=subject, kind=kind, dedupe=dedupe)
    message, at = checked(message), now()
    to, named = reached(people), named_channels(channels)
    with transaction.atomic(savepoint=False):  # what may be refused was looked at before
        notice, is_new = stored_once(subject=subject, kind=kind, message=message, dedupe=dedupe, at=at, urgent=urgent)
        if is_new:
            past = Past.of(notice, to, at, capped=capped)
            rows = [row for one in to for row in rows_for(notice, one, at, past, until)]
            Delivery.objects.bulk_create([*rows, *_for_channels(notice, named, at)])
            nudge_on_commit()
    return notice


def named_channels(names: Sequence[str]) -> list[Channel]:
    """The channels with these names, each once.

    Raises:
        BadInput: one is unknown, or personal, so without a target of its own.
    """
    found = {channel.name: channel for channel in Channel.objects.filter(name__in=names, personal=False)}
    if unknown := [name for name in names if name not in found]:
        known = Channel.objects.filter(personal=False).values_list("name", flat=True)
        remedy = f"name one of: {', '.join(known) or 'none yet; an administrator makes channels in the admin'}"
        raise BadInput(f"there is no channel {unknown[0][:200]!r}", field="channels", value=unknown[0], remedy=remedy)
    return list(found.values())


def _for_channels(notice: Notice, channels: Sequence[Channel], at: datetime) -> Iterator[Delivery]:
    for channel in channels:
        yield Delivery(notice=notice, channel=channel, urgent=notice.urgent, created_at=at, due_at=at)


def _check_words(**words: str) -> None:
    most = {"subject": 200, "kind": 60, "dedupe": 250}
    for field, value in words.items():
        if not value.strip() or len(value) > most[field] or not value.isprintable():
            remedy = f"1 to {most[field]} printable characters, such as approval:17"
            raise BadInput(f"the {field} is not usable", field=field, value=value[:60], remedy=remedy)
