"""What watching costs, and what it and recovery do among runs in trouble."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.measuring import FEW_ENDED, MANY_ENDED, REPETITIONS, Databases, line, median_ratio, side

RUNS = 300
FEW_OPEN, MANY_OPEN = 1_000, 100_000
BACK_TESTED = 10_000
ACTS, FAILURES, REFUSED = 60, 10_000, 1_000


def watching(folder: Path) -> list[dict[str, Any]]:
    """What a pass of the watch costs beside many open runs, and what it takes from a worker."""
    databases = Databases(folder)
    few: list[float] = []
    many: list[float] = []
    on: list[float] = []
    off: list[float] = []
    alarms: list[float] = []
    for _ in range(REPETITIONS):
        for what, number, figures in (("passes", FEW_OPEN, few), ("passes", MANY_OPEN, many)):
            got = side("monitoring_side", what, str(number), url=databases.new(), folder=folder, seconds=600)
            figures.append(got["figure"] * 1000)
        for what, figures in (("unwatched", off), ("watched", on)):
            got = side("monitoring_side", what, str(RUNS), url=databases.new(), folder=folder)
            figures.append(got["figure"])
            alarms.append(got.get("alarms", 0))
    name = f"a pass of the watch, {MANY_OPEN:,} vs {FEW_OPEN:,} open runs"
    return [
        line(name, many, few, "ms", median_ratio(many, few), 1.2, "lower"),
        line("celery engine, watched vs not", on, off, "steps/s", median_ratio(on, off), 0.97, "higher"),
        line("alerts about runs that are well", [sum(alarms)], [0.0], "alerts", sum(alarms), 0.0, "lower"),
        *beside_history(databases),
        back_test(databases),
        *in_trouble(databases),
    ]


def in_trouble(databases: Databases) -> list[dict[str, Any]]:
    """How soon recovery acts, what ten thousand failures of one error tell, and what an outage makes it call."""
    acts, failures, outage = (
        side("trouble_side", what, str(number), url=databases.new(), folder=databases.folder, seconds=1800)
        for what, number in (("acts", ACTS), ("failures", FAILURES), ("outage", REFUSED))
    )
    seconds, calls, told = acts["p95"], outage["calls"], failures["messages"]
    one = f"{FAILURES:,} failures of one error"
    name = f"calls of recovery to a service that refuses {REFUSED:,} runs for two minutes"
    return [
        line("from a failure to the act of recovery, p95, vs 3 s", [seconds], [3.0], "s", seconds / 3, 1.0, "lower"),
        line(f"{one}: alerts", [failures["alerts"]], [1.0], "alerts", failures["alerts"], 1.0, "lower"),
        line(f"{one}: messages, vs 3", [told], [3.0], "messages", told / 3, 1.0, "lower"),
        line(f"{name}, vs a call for each", [calls], [REFUSED], "calls", calls / REFUSED, 1 / 30, "lower"),
    ]


def back_test(databases: Databases) -> dict[str, Any]:
    """What a recovery policy would have done about the most runs that one back-test looks at."""
    took = [
        side("backtest_side", str(BACK_TESTED), url=databases.new(), folder=databases.folder, seconds=600)["figure"]
        for _ in range(REPETITIONS)
    ]
    name = f"a back-test of {BACK_TESTED:,} ended runs, vs 60 s"
    return line(name, took, [60.0], "s", statistics.median(took) / 60, 1.0, "lower")


def beside_history(databases: Databases) -> list[dict[str, Any]]:
    """What is shown of the site beside a million runs that ended long ago."""
    few, many = (
        side("ended_side", str(number), url=databases.new(), folder=databases.folder, seconds=3600)
        for number in (FEW_ENDED, MANY_ENDED)
    )
    lines = []
    for what, name in (("dashboard", "the dashboard's data"), ("metrics", "/metrics")):
        name = f"{name}, {MANY_ENDED:,} vs {FEW_ENDED:,} ended runs"
        lines.append(line(name, [many[what] * 1000], [few[what] * 1000], "ms", many[what] / few[what], 1.5, "lower"))
        longest = f"{name.partition(',')[0]}, {MANY_ENDED:,} ended runs, vs 300 ms"
        lines.append(line(longest, [many[what] * 1000], [300.0], "ms", many[what] / 0.3, 1.0, "lower"))
    return lines
