"""What keeps a site sound: clocks, room on its disks, the audit's seal and triggers, the watch, pruning."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from foundation.audit import triggers
from foundation.clock import database_now
from foundation.models import AuditEvent, AuditSeal
from monitoring.core.health import Issue
from monitoring.core.site import troubles
from monitoring.core.site.troubles import MOST_COUNTED, Waiting
from monitoring.models import Loop
from orchestration.models import News, Worker


def clock_skew() -> Iterator[Issue]:
    """The clocks of living workers, as they told with their lease, against the database's."""
    now = database_now()
    for name, detail in Worker.objects.filter(lease_until__gt=now).values_list("name", "detail")[:MOST_COUNTED]:
        if issue := troubles.clock_skew(name, float(detail.get("clock_ahead") or 0), now):
            yield issue


def disk_low() -> Iterator[Issue]:
    """Room on the disks of the data folder and of an SQLite file; one line for each disk."""
    now, seen = database_now(), set()
    places = [Path(settings.ZEN_DATA_DIR)]
    if connection.vendor == "sqlite":
        places.append(Path(str(settings.DATABASES["default"]["NAME"])))
    for place in places:
        there = next((path for path in (place, *place.parents) if path.exists()), None)
        if there is None or there.stat().st_dev in seen:
            continue
        seen.add(there.stat().st_dev)
        usage = shutil.disk_usage(there)
        if issue := troubles.disk_low(str(place), usage.free, usage.total, now):
            yield issue


def seal_missing() -> Iterator[Issue]:
    """Whether the audit was sealed within its day."""
    last = AuditSeal.objects.order_by("-number").values_list("at", flat=True).first()
    first = AuditEvent.objects.order_by("pk").values_list("at", flat=True).first()
    if issue := troubles.seal_missing(last, first, database_now()):
        yield issue


def audit_unprotected() -> Iterator[Issue]:
    """Whether the database refuses changes of the audit."""
    if issue := troubles.audit_unprotected(triggers.missing(connection), database_now()):
        yield issue


def monitoring_behind() -> Iterator[Issue]:
    """Whether somebody watches, and keeps up."""
    if not settings.WORKFLOW_MONITORING_ENABLED:
        return
    row = _loop("watch")
    oldest = News.objects.order_by("pk").values_list("at", flat=True).first()
    news = Waiting(count=1 if oldest else 0, oldest=oldest)
    if issue := troubles.monitoring_behind(row.get("at"), float(row.get("lag") or 0), news, database_now()):
        yield issue


def prune_behind() -> Iterator[Issue]:
    """Whether pruning keeps up."""
    if issue := troubles.prune_behind(float(_loop("prune").get("lag") or 0), database_now()):
        yield issue


def _loop(name: str) -> dict[str, Any]:
    found = Loop.objects.filter(name=name).values("at", "lag").first()
    return dict(found) if found else {}
