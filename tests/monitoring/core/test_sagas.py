"""When a saga as a whole is failing or silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.core.site.sagas import HOURS, Ended, bound, failing, gap, silent

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("runs", "failed", "usual", "told"),
    [
        (10, 3, None, True), (10, 2, None, False), (9, 9, None, False), (100, 29, None, False),
        (100, 6, (1000, 20), True), (100, 4, (1000, 0), False), (100, 5, (1000, 0), True),
        (100, 45, (1000, 400), False), (100, 61, (1000, 400), True), (100, 6, (99, 2), False),
    ],
)  # fmt: skip
def test_failing(runs: int, failed: int, usual: tuple[int, int] | None, told: bool) -> None:
    usually = Ended(runs=usual[0], failed=usual[1]) if usual else Ended()
    issue = failing("order", Ended(runs=runs, failed=failed), usually, NOW)
    assert (issue is not None) is told, bound(usually)
    if issue is not None:
        assert issue.sentence.startswith(f"{failed} of {runs} runs of order that ended within 15 min did not complete")
        assert issue.target == "saga:order" and issue.severity == "critical"


def test_silent() -> None:
    hourly, often = [1.0] * HOURS, [60.0] * HOURS
    assert gap(hourly) == timedelta(hours=1) and gap(often) == timedelta(minutes=1)
    assert gap([0.0, *hourly[1:]]) is None and gap([*hourly[:-5], 0, 0, 0, 0, 0]) == timedelta(hours=1)
    assert gap([1.0] * 100 + [0.0] * 68) is None
    assert silent("order", hourly, NOW - timedelta(hours=4), NOW) is None
    issue = silent("order", hourly, NOW - timedelta(hours=6), NOW)
    assert issue is not None and issue.sentence.startswith("no run of order was started for 6 h; in the week before")
    assert silent("order", often, NOW - timedelta(minutes=14), NOW) is None
    assert silent("order", often, NOW - timedelta(minutes=16), NOW) is not None
    assert silent("order", often, None, NOW) is None
