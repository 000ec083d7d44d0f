"""When a project takes too long by what was expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

FACTOR = 1.2
"""Of the estimate, from which on an alert is raised and people are asked."""


def over_at(given: Mapping[str, Any], started_at: datetime | None) -> datetime | None:
    """The moment from which on a project takes too long. `given`: {"spec", "config"} of its run.

    None without an estimate, before its start, and where it is not to be monitored.
    """
    hours = given["spec"].get("estimated_duration_hours")
    if not hours or started_at is None or given["config"].get("monitoring_enabled") is False:
        return None
    return started_at + timedelta(hours=FACTOR * float(hours))


def is_over(given: Mapping[str, Any], started_at: datetime | None, at: datetime) -> bool:
    """Whether it takes too long at a moment."""
    moment = over_at(given, started_at)
    return moment is not None and at >= moment
