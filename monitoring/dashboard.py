"""The dashboard's data, with what was just done in it."""

from __future__ import annotations

from functools import partial
from typing import Any

from monitoring.queries.charts import SPANS, Chart, charts
from monitoring.queries.overview import overview
from monitoring.queries.shared import Shared
from monitoring.watch.site import look_if_nobody_does, site_issues
from monitoring.watch.sweep import take_news

SLOW = 0.05
SHARED_SECONDS = 5.0
"""Data that took longer than SLOW seconds to make are for all who ask within so many."""


def dashboard() -> dict[str, Any]:
    """The whole site in figures (queries.overview); news that waits is taken first, 500 rows at most, and the site
    asked how it is where nobody has for a while.

    On a large site it is made once in five seconds at most, however many ask, by one of them at a time.
    """
    return _shared.get()


def shared_charts(span: str) -> list[Chart]:
    """The charts of the overview (queries.charts), made as seldom."""
    return _charts[span].get()


def forget() -> None:
    """Keep nothing of what was made."""
    _shared.forget()
    for one in _charts.values():
        one.forget()


def _make() -> dict[str, Any]:
    take_news()
    look_if_nobody_does()
    return overview() | {"site": site_issues()}


_shared = Shared(_make, seconds=SHARED_SECONDS, slow=SLOW)
_charts = {span: Shared(partial(charts, span), seconds=SHARED_SECONDS, slow=SLOW) for span in SPANS}
