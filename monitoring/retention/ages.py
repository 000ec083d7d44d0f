"""How long what is kept, as the settings say."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from foundation.clock import database_now

NOTICES_DAYS = 90
ALERTS_DAYS = 400


def until_of(days: int) -> datetime | None:
    """What ended by then is old enough; None where it is kept for ever."""
    return database_now() - timedelta(days=days) if days else None


def lines_until() -> datetime | None:
    """By when a family has to have ended for its lines to go; they never outlive the details."""
    return until_of(_least(settings.ZEN_KEEP_LINES_DAYS, settings.ZEN_KEEP_DETAIL_DAYS))


def details_until() -> datetime | None:
    """The same for details."""
    return until_of(settings.ZEN_KEEP_DETAIL_DAYS)


def runs_until() -> datetime | None:
    """The same for whole runs."""
    return until_of(settings.ZEN_KEEP_RUNS_DAYS)


def _least(*days: int) -> int:
    return min((one for one in days if one), default=0)
