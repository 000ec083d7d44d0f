"""Keeps metrics added up, notes each minute how high the gauges are whose course is shown, and tells all of it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from foundation.telemetry import observe, send_now
from monitoring.metrics.exposition import text
from monitoring.metrics.fold import fold_all, remove_old
from monitoring.metrics.gauges import gauges
from monitoring.queries.families import FAMILIES
from monitoring.queries.shared import Shared
from monitoring.watch import loops
from monitoring.watch.site import look_if_nobody_does


def keep() -> int | None:
    """Once per WORKFLOW_METRICS_INTERVAL; returns how many rows were added up, None if it is not its turn."""
    if not loops.held(loops.METRICS, timedelta(seconds=settings.WORKFLOW_METRICS_INTERVAL)):
        return None
    with loops.turn(loops.METRICS) as one:
        for name, labels, value in gauges():
            if FAMILIES[name].kept and name not in OBSERVED:
                observe(name, value, **labels)
        folded = fold_all()
        one.detail = {"folded": folded, "removed": remove_old()}
    return folded


OBSERVED = ("zen_watch_lag_seconds",)
"""Gauges that are noted where they arise."""

SNAPSHOT_SECONDS = 5.0


def scrape() -> bytes:
    """All metrics in the text format of Prometheus: of the last five seconds, however many ask.

    What this process has measured is stored first; where no worker does it, the site is asked how it is, and what has
    been stored is added up.
    """
    return _shared.get()


def forget() -> None:
    """Keep nothing of what was made."""
    _shared.forget()


def _make() -> bytes:
    send_now()
    look_if_nobody_does()
    keep()
    return text()


_shared = Shared(_make, seconds=SNAPSHOT_SECONDS)
