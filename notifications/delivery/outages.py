"""Outages of sending.

Times when no worker looked for deliveries, because the site, its workers or its database were down.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from foundation.clock import now
from notifications.models import Outage, Watch

EVERY = timedelta(seconds=2)
LEAST = timedelta(seconds=15)
KEPT = timedelta(days=400)
"""Longer than a clock in wall time can run."""

MOST = 200
"""Outages that are read at once."""


def gap() -> timedelta:
    """A longer time between two looks counts as an outage."""
    return max(LEAST, timedelta(seconds=5 * settings.ZEN_SWEEP_SECONDS))


def looked() -> None:
    """A worker looks for deliveries now. Called by each sweep; writes a row every other second at most."""
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


def outages_after(begun: datetime) -> list[tuple[datetime, datetime]]:
    """(from, until) of outages that ended after `begun`, in order; then the one that lasts, if there is one.

    The latest MOST of them. The end of one that lasts is not known: it counts until a gap from now, so that a caller
    who compensates for it in pieces does so no more often than that.
    """
    ended = Outage.objects.filter(until__gt=begun).order_by("-until").values_list("since", "until")[:MOST]
    found = list(ended)[::-1]
    at, row = now(), Watch.objects.order_by("pk").first()
    if row is not None and at - row.seen_at > gap() and at > begun:
        found.append((row.seen_at, at + gap()))
    return found
