"""What is to go out: notices that nobody sends or that were given up, callbacks that were given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from foundation.clock import database_now
from monitoring.core.health import Issue
from monitoring.core.site import troubles
from monitoring.core.site.troubles import MOST_COUNTED, Waiting
from notifications.models import Callback, Delivery, Endpoint

GIVEN_UP_WITHIN, DEAD_WITHIN = timedelta(hours=1), timedelta(days=1)


def notices_undelivered() -> Iterator[Issue]:
    """Notices that should have gone out, and those given up within the last hour without another channel to try."""
    now = database_now()
    due = Delivery.objects.filter(status=Delivery.QUEUED, due_at__lte=now).order_by("due_at", "id")
    moments = list(due.values_list("due_at", flat=True)[:MOST_COUNTED])
    late = Waiting(count=len(moments), oldest=min(moments, default=None), one="notice", many="notices")
    issue = troubles.not_sent(late, now)
    if issue is not None:
        yield issue
        return
    latest = Delivery.objects.order_by("-pk").values("pk")[:MOST_COUNTED]
    dead = Delivery.objects.filter(pk__in=list(latest.values_list("pk", flat=True)), status=Delivery.DEAD, rest=[])
    rows = list(dead.filter(ended_at__gt=now - GIVEN_UP_WITHIN).select_related("channel").order_by("-pk"))
    if rows:
        last = rows[0]
        whom = last.channel.name if last.channel is not None else last.person_name
        many = "1 notice was" if len(rows) == 1 else f"{len(rows):,} notices were"
        text = f"{many} given up within the last hour, the last one to {whom}: {last.error[:200]}"
        remedy = "mend the channel (Notifications, Channels), then send a test to it"
        yield troubles.found("notices_undelivered", text, rows[-1].ended_at or now, remedy=remedy)


def callbacks_dead() -> Iterator[Issue]:
    """Callbacks that were given up within a day, and endpoints that were switched off within one."""
    now = database_now()
    latest = list(Callback.objects.order_by("-pk").values_list("pk", flat=True)[:MOST_COUNTED])
    dead = Callback.objects.filter(pk__in=latest, status=Callback.DEAD, created_at__gt=now - DEAD_WITHIN)
    rows = list(dead.select_related("endpoint").order_by("-pk"))
    off = Endpoint.objects.filter(disabled_at__gt=now - DEAD_WITHIN).order_by("-disabled_at").first()
    if rows:
        many = "1 callback was" if len(rows) == 1 else f"{len(rows):,} callbacks were"
        why = f"HTTP {rows[0].last_status}" if rows[0].last_status else rows[0].last_error[:200]
        text = f"{many} given up within a day, the last one to {rows[0].endpoint.url} ({why})"
        yield troubles.found(
            "callbacks_dead", text, rows[-1].created_at, remedy="mend the endpoint, then send them again"
        )
    elif off is not None:
        text = f"the endpoint {off.url} of {off.owner} is switched off: {off.disabled_reason}"
        yield troubles.found("callbacks_dead", text, off.disabled_at or now, remedy="mend it, then switch it on again")
