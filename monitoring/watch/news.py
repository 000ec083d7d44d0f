"""Which news is taken now."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from foundation.clock import database_now
from foundation.db import statements
from monitoring.models import RunHealth
from orchestration.models import News

MOST_AT_ONCE = 500

BEGINNING = timedelta(seconds=10)
"""So long the news that a run has begun or completed may wait."""

CALM = (News.STARTED, News.DONE)


def news_to_take(*, all_of_it: bool = False) -> list[News]:
    """News to judge now, 500 rows at most.

    What somebody may have to act on is taken at once. That runs have begun or completed is taken together, every ten
    seconds or so: that costs least, and most runs that begin have ended by then. What is known already is thrown away.
    """
    urgent = list(News.objects.exclude(kind__in=CALM).order_by("pk")[:MOST_AT_ONCE])
    calm = News.objects.filter(kind__in=CALM).order_by("pk")
    early = database_now() - BEGINNING
    if not all_of_it:
        oldest = calm.values_list("at", flat=True).first()
        if oldest is None or oldest > early:
            return urgent
        calm = calm.exclude(kind=News.STARTED, at__gt=early)
    return urgent + _unknown(list(calm[: MOST_AT_ONCE - len(urgent)]))


def _unknown(news: list[News]) -> list[News]:
    """Those of runs whose row is not of their present version; the others are deleted."""
    ids = [one.run_id for one in news]
    known = set(RunHealth.objects.filter(pk__in=ids, version__gte=F("run__version")).values_list("pk", flat=True))
    stale = [one.pk for one in news if one.run_id in known]
    if stale:
        with statements.writing():
            News.objects.filter(pk__in=stale).delete()
    return [one for one in news if one.run_id not in known]


def is_urgent(news: News) -> bool:
    """Whether somebody may have to act on it."""
    return news.kind not in CALM
