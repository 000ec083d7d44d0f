"""When nobody looked after deliveries: the site was stopped, or its workers or its database were."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from notifications.clock import now
from notifications.models import Outage, Watch

EVERY = timedelta(seconds=2)
LEAST = timedelta(seconds=15)
KEPT = timedelta(days=400)
"""Longer than a clock in wall time can run."""


def gap() -> timedelta:
    """What is longer between two looks is an outage."""
    return max(LEAST, timedelta(seconds=5 * settings.ZEN_SWEEP_SECONDS))


def looked() -> None:
    """Somebody looks after deliveries now. Called by each sweep; writes a row every other second at most."""
    at = now()
    row = Watch.objects.order_by("pk").first()
    if row is None:
        Watch.objects.get_or_create(pk=1, defaults={"seen_at": at})
    elif at - row.seen_at >= EVERY:
        _write(row.seen_at, at)


def _write(before: datetime, at: datetime) -> None:
    """Of several at once one writes."""
    with transaction.atomic():
        mine = Watch.objects.filter(pk=1, seen_at=before).update(seen_at=at)
        if mine and at - before > gap():
            Outage.objects.create(since=before, until=at)
            Outage.objects.filter(until__lt=at - KEPT).delete()


def outage_after(begun: datetime) -> tuple[datetime, datetime] | None:
    """The first that ended after `begun`, or that lasts to this moment: from when, and until when. None for none."""
    found = Outage.objects.filter(until__gt=begun).order_by("until").first()
    if found is not None:
        return found.since, found.until
    at, row = now(), Watch.objects.order_by("pk").first()
    if row is None or at - row.seen_at <= gap() or at <= begun:
        return None
    return row.seen_at, at
