"""The four charts of the overview: runs that ended, the share that failed, how long they took, how old the queue is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from foundation.clock import database_now
from monitoring.queries.series import SeriesPoint, series, series_by
from orchestration.core.enums import RunStatus

SPANS: dict[str, tuple[str, str, timedelta]] = {
    "hour": ("hour", "m", timedelta(hours=1)),
    "day": ("day", "h", timedelta(hours=24)),
    "month": ("30 days", "d", timedelta(days=30)),
}
"""{name: (in words, the step of `series`, how far back)}."""

ENDED, TOOK, QUEUE = "zen_runs_ended_total", "zen_run_duration_seconds", "zen_oldest_ready_seconds"
SAGAS = {"kind": "saga"}
Unit = Literal["runs", "percent", "seconds"]
Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`names`: of its lines; `rows`: for each step its begin (aware UTC) and a value of each line, None for none.

    `said`: the whole in a sentence.
    """

    key: str
    title: str
    unit: Unit
    names: tuple[str, ...]
    rows: tuple[tuple[datetime, Values], ...]
    said: str

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for _, values in self.rows for value in values)


def charts(span: str) -> list[Chart]:
    """The four of them, over the last `span` (a key of SPANS)."""
    _, step, back = SPANS[span]
    now = database_now()
    start = now - back
    ended = series_by(ENDED, "status", SAGAS, start, now, step)
    took = series(TOOK, SAGAS, start, now, step)
    ages = series_by(QUEUE, "engine", {}, start, now, step)
    times = [point.at for point in took]
    good = _counts(ended.get(RunStatus.COMPLETED.value), times)
    bad = [_counts(points, times) for status, points in ended.items() if status != RunStatus.COMPLETED]
    other = [sum(counts) for counts in zip(*bad, strict=True)] or [0.0] * len(times)
    return [_ended(times, good, other), _share(times, good, other), _lengths(took), _ages(times, ages)]


def _counts(points: Sequence[SeriesPoint] | None, times: Sequence[datetime]) -> list[float]:
    return [point.count for point in points] if points else [0.0] * len(times)


def _rows(times: Sequence[datetime], *lines: Sequence[float | None]) -> tuple[tuple[datetime, Values], ...]:
    return tuple(zip(times, zip(*lines, strict=True), strict=True))


def _ended(times: Sequence[datetime], good: Sequence[float], other: Sequence[float]) -> Chart:
    said = f"{sum(good):,.0f} completed, {sum(other):,.0f} ended otherwise"
    return Chart(
        key="ended", title="Runs ended", unit="runs", names=("completed", "otherwise"),
        rows=_rows(times, good, other), said=said,
    )  # fmt: skip


def _share(times: Sequence[datetime], good: Sequence[float], other: Sequence[float]) -> Chart:
    shares = [100 * bad / (bad + well) if bad + well else None for well, bad in zip(good, other, strict=True)]
    total = sum(good) + sum(other)
    said = (
        f"{100 * sum(other) / total:.1f} % of {total:,.0f} run{'s' if total != 1 else ''}"
        if total
        else "no run has ended"
    )
    return Chart(
        key="errors", title="Share that ended otherwise than completed", unit="percent", names=("share",),
        rows=_rows(times, shares), said=said,
    )  # fmt: skip


def _lengths(took: Sequence[SeriesPoint]) -> Chart:
    half, most = ([point.quantile(share) for point in took] for share in (0.5, 0.95))
    whole = SeriesPoint(at=took[0].at if took else database_now())
    for point in took:
        for bucket, many in point.buckets.items():
            whole.buckets[bucket] = whole.buckets.get(bucket, 0) + many
    usual, slow = whole.quantile(0.5), whole.quantile(0.95)
    known = usual is not None and slow is not None
    said = f"half took less than {seconds(usual)}, 95 of 100 less than {seconds(slow)}" if known else "no run has ended"
    return Chart(
        key="lengths", title="How long runs took", unit="seconds", names=("half below", "95 of 100 below"),
        rows=_rows([point.at for point in took], half, most), said=said,
    )  # fmt: skip


def _ages(times: Sequence[datetime], ages: dict[str, list[SeriesPoint]]) -> Chart:
    lines: list[list[float | None]] = [[point.mean for point in points] for _, points in sorted(ages.items())]
    lines = lines or [[None] * len(times)]
    highest = max((value for line in lines for value in line if value is not None), default=None)
    said = f"{seconds(highest)} at most" if highest is not None else "not measured"
    return Chart(
        key="queue", title="Age of the oldest attempt that waits for a worker", unit="seconds",
        names=tuple(sorted(ages)) or ("queue",), rows=_rows(times, *lines), said=said,
    )  # fmt: skip


def seconds(value: float | None) -> str:
    """A length for people, with two digits: `0.35 s`, `12 s`, `4.2 min`, `3.1 h`; '' for None."""
    if value is None:
        return ""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if value >= 2 * size:
            return f"{value / size:.2g} {unit}" if value / size < 100 else f"{value / size:,.0f} {unit}"
    return f"{value:.2g} s" if value < 100 else f"{value:.0f} s"


def shown(value: float | None, unit: Unit) -> str:
    """A value of a chart in its table; '' for None."""
    if value is None:
        return ""
    return {"percent": f"{value:.1f} %", "seconds": seconds(value), "runs": f"{value:,.0f}"}[unit]


def table(chart: Chart) -> list[dict[str, Any]]:
    """Its rows for a page: `at`, and `cells` of the value as a number ('' for none) and in words."""
    return [
        {
            "at": at,
            "cells": [(name, "" if value is None else round(value, 4), shown(value, chart.unit))
                      for name, value in zip(chart.names, values, strict=True)],
        }
        for at, values in chart.rows
    ]  # fmt: skip
