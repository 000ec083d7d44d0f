"""Every open run against its row, once in a while: finds what was lost (news, a row, a restored backup)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from monitoring.models import RunHealth
from monitoring.recovery.policies import changed_at
from monitoring.watch import loops
from monitoring.watch.learn import forget_old_norms
from monitoring.watch.news import MOST_AT_ONCE
from monitoring.watch.sweep import judge_and_store
from orchestration.models import Run

PAGE = 2000


def walk() -> int | None:
    """All open runs whose row is missing or of another version are judged; None if it is not this process's turn."""
    every = timedelta(seconds=settings.WORKFLOW_HEALTH_CHECK_INTERVAL)
    if not settings.WORKFLOW_MONITORING_ENABLED or not loops.held(loops.ROUND, every):
        return None
    with loops.turn(loops.ROUND) as one:
        found = walk_once()
        forget_old_norms()
        one.detail = {"judged": found}
    return found


def walk_once() -> int:
    """The same at once; returns how many were judged."""
    found, after, changed = 0, 0, changed_at()
    while page := list(
        Run.objects.filter(finished_at=None, pk__gt=after).order_by("pk").values_list("pk", "version")[:PAGE]
    ):
        after = page[-1][0]
        loops.held(loops.ROUND, timedelta(0))  # keeps the turn while it takes long
        rows = RunHealth.objects.filter(pk__gte=page[0][0], pk__lte=after, ended=False)
        if changed is not None:  # a recovery policy is published or switched since: it may match more runs than before
            rows = rows.filter(checked_at__gte=changed)
        known = dict(rows.values_list("pk", "version"))
        wrong = [pk for pk, version in page if known.get(pk) != version]
        for start in range(0, len(wrong), MOST_AT_ONCE):
            found += judge_and_store(_watched(wrong[start : start + MOST_AT_ONCE]))
    return found + _ended()


def _watched(ids: list[int]) -> list[int]:
    """Without the runs whose configuration says that nobody watches them."""
    unsaid = ~Q(config__has_key="monitoring_enabled")
    found = Run.objects.filter(unsaid | Q(config__monitoring_enabled=True), pk__in=ids)
    return list(found.values_list("pk", flat=True))


def _ended() -> int:
    """Rows of runs that have ended since and are still shown as open."""
    stale = RunHealth.objects.filter(Q(run__finished_at__isnull=False), ended=False).values_list("pk", flat=True)
    ids = list(stale[:MOST_AT_ONCE])
    return judge_and_store(ids) if ids else 0
