"""Interleaved repetitions, medians, ratios; a table, and one line a comparison in benchmarks/latest.jsonl."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import FEW_ENDED, MANY_ENDED, REPETITIONS, Databases, grown, line, median_ratio, side
from benchmarks.watching import watching
from zen_project.embedded import postgres, temporal

RUNS = 100
TEMPORAL_RUNS = 40  # the development server is the ceiling
MANY_APPROVALS = (100, 10_000)  # on Temporal they take a quarter of an hour: two workflows each
TASKS = 40
LATEST = Path(__file__).with_name("latest.jsonl")
console = Console()


def against_dbos(label: str, databases: Databases) -> dict[str, Any]:
    ours, peer = [], []
    for repetition in range(REPETITIONS + 1):
        sample = ["sample"] if repetition == REPETITIONS else []  # its own repetition, not counted
        a = side("celery_side", "runs", str(RUNS), *sample, url=databases.new(), folder=databases.folder)
        url = databases.new()
        peer_url = url.replace("postgres://", "postgresql://")
        b = side("dbos_side", peer_url, str(RUNS), *sample, url=url, folder=databases.folder)
        if sample:
            for name, shares in (("celery engine", a["shares"]), ("DBOS", b["shares"])):
                said = ", ".join(f"{part} {share:.0%}" for part, share in shares.items())
                console.print(f"Where the time goes, {name} on {label} (wall time of worker threads): {said}.")
        else:
            ours.append(a["figure"])
            peer.append(b["figure"])
    ratio = median_ratio(ours, peer)
    return line(f"celery engine vs DBOS, {label}", ours, peer, "steps/s", ratio, 2.0, "higher")


def against_handwritten(databases: Databases, address: str) -> list[dict[str, Any]]:
    """One server for all; a new database and task queue for each measurement."""
    figures: dict[str, list[float]] = {"ours": [], "stores": [], "bare": []}
    for _ in range(REPETITIONS):
        for which, seen in figures.items():
            url = databases.new()
            got = side(
                "temporal_side", which, str(TEMPORAL_RUNS), url=url, folder=databases.folder, temporal_address=address
            )
            seen.append(got["figure"])
    names = {
        "stores": "temporal engine vs a hand-written saga that stores a row a step",
        "bare": "temporal engine vs a hand-written saga that stores nothing",
    }
    return [
        line(
            name,
            figures["ours"],
            figures[which],
            "steps/s",
            median_ratio(figures["ours"], figures[which]),
            0.9,
            "higher",
        )
        for which, name in names.items()
    ]


def growth(databases: Databases) -> dict[str, Any]:
    long: list[float] = []
    short: list[float] = []
    for _ in range(REPETITIONS):
        for steps, figures in ((10, short), (1000, long)):
            got = side("celery_side", "chain", str(steps), url=databases.new(), folder=databases.folder)
            figures.append(got["figure"] * 1000)
    ratio = median_ratio(long, short)
    return line("celery engine, cost of an event, 1,000 vs 10 steps", long, short, "ms/step", ratio, 1.2, "lower")


def retention(folder: Path) -> list[dict[str, Any]]:
    """What pruning takes from a worker, and what a million runs that ended cost those that are worked on."""
    databases = Databases(folder)
    alone: list[float] = []
    pruning: list[float] = []
    for _ in range(REPETITIONS):
        for what, figures in (("alone", alone), ("pruning", pruning)):
            got = side("retention_side", what, str(10 * RUNS), url=databases.new(), folder=folder, seconds=300)
            figures.append(got["figure"])
    few, many = (
        side("retention_side", "beside", str(number), url=databases.new(), folder=folder, seconds=3600)
        for number in (FEW_ENDED, MANY_ENDED)
    )
    console.print(
        f"{MANY_ENDED:,} condensed runs: {many['bytes']:,.0f} bytes each, indexes included; a pass of pruning with "
        f"nothing to do {many['pass'] * 1000:.0f} ms; it condenses {got['pruned']:.0f} runs/s beside a busy worker."
    )
    beside = f"{MANY_ENDED:,} vs {FEW_ENDED:,} ended runs"
    return [
        line("celery engine, pruning vs not", pruning, alone, "steps/s", median_ratio(pruning, alone), 0.9, "higher"),
        grown(f"a page of the list, {beside}", many, few, "list"),
        grown(f"the start of a run, {beside}", many, few, "start"),
    ]


def report(lines: list[dict[str, Any]], *, keep: bool) -> None:
    """The table; `keep`: also the file, which holds a whole run and never a part."""
    if keep:
        LATEST.write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    table = Table("comparison", "ours", "peer", "unit", "ratio", "goal", "met")
    for entry in lines:
        met = entry["ratio"] >= entry["goal"] if entry["better"] == "higher" else entry["ratio"] <= entry["goal"]
        sign = ">=" if entry["better"] == "higher" else "<="
        cells = [entry["name"], entry["ours"], entry["peer"], entry["unit"], entry["ratio"], f"{sign} {entry['goal']}"]
        table.add_row(*map(str, cells), "yes" if met else "NO")
    console.print(table)


def celery_on_sqlite(folder: Path) -> list[dict[str, Any]]:
    return [against_dbos("SQLite", Databases(folder))]


def celery_on_postgres(folder: Path) -> list[dict[str, Any]]:
    if postgres.available().path is None:
        console.print(f"SKIPPED: PostgreSQL. {postgres.available().how}")
        return []
    with postgres.postgres(folder, durable=True) as server:
        return [against_dbos("PostgreSQL", Databases(folder, server.address))]


def on_temporal(folder: Path) -> list[dict[str, Any]]:
    if temporal.available().path is None:
        console.print(f"SKIPPED: Temporal. {temporal.available().how}")
        return []
    with temporal.temporal_dev_server(folder, database=None) as server:
        return against_handwritten(Databases(folder), server.address)


def open_approvals(folder: Path) -> list[dict[str, Any]]:
    """Ten thousand open approvals against a hundred: what growth costs, and how soon a decision is felt."""
    lines = growth_of_approvals("celery", Databases(folder), *MANY_APPROVALS)
    if temporal.available().path is None:
        console.print(f"SKIPPED: approvals on Temporal. {temporal.available().how}")
        return lines
    with temporal.temporal_dev_server(folder, database=None) as server:
        return lines + growth_of_approvals("temporal", Databases(folder), *MANY_APPROVALS, server.address)


def growth_of_approvals(
    engine: str, databases: Databases, few: int, many: int, address: str = ""
) -> list[dict[str, Any]]:
    small, large = (
        side(
            "approvals_side", engine, str(number), url=databases.new(), folder=databases.folder,
            temporal_address=address, seconds=3600,
        )
        for number in (few, many)
    )  # fmt: skip
    for got in (small, large):
        console.print(
            f"{engine} engine, {got['open']:,} open approvals: opened {got['opened_per_second']:g}/s; decision to the "
            f"next step p50 {got['decide_p50'] * 1000:.0f} ms, p95 {got['decide_p95'] * 1000:.0f} ms; an inbox page "
            f"{got['list'] * 1000:.1f} ms; {got['bytes_per_parked_run']:,} bytes of this process for each waiting run."
        )
    name = f"approvals, {engine} engine, {many:,} vs {few:,} open"
    return [
        grown(f"{name}: decision to next step, p95", large, small, "decide_p95"),
        grown(f"{name}: a page of the inbox", large, small, "list"),
        line(f"approvals, {engine} engine, {many:,} open: p95 vs a second", [large["decide_p95"]], [1.0], "s",
             large["decide_p95"], 1.0, "lower"),
    ]  # fmt: skip


def beside_agents(folder: Path) -> list[dict[str, Any]]:
    """How soon the site answers while a project of many tasks is built."""
    lines = side_by_side("SQLite", Databases(folder))
    if postgres.available().path is None:
        console.print(f"SKIPPED: PostgreSQL. {postgres.available().how}")
        return lines
    with postgres.postgres(folder, durable=True) as server:
        return lines + side_by_side("PostgreSQL", Databases(folder, server.address))


def side_by_side(label: str, databases: Databases) -> list[dict[str, Any]]:
    got = side("projects_side", str(TASKS), url=databases.new(), folder=databases.folder, seconds=3600)
    name = f"pages and REST on {label} beside {got['agents']} agents at {TASKS} tasks"
    console.print(
        f"{name}: p50 {got['p50'] * 1000:.0f} ms, p95 {got['p95'] * 1000:.0f} ms, longest "
        f"{got['longest'] * 1000:.0f} ms ({got['slowest']}) of {got['asked']}; built in {got['seconds']:g} s."
    )
    return [line(f"{name}: p95 vs a second", [got["p95"]], [1.0], "s", got["p95"], 1.0, "lower")]


def over_mcp(folder: Path) -> list[dict[str, Any]]:
    """How soon MCP tells of a run, against REST in the same process."""
    got = [side("mcp_side", "200", url=Databases(folder).new(), folder=folder, seconds=600) for _ in range(REPETITIONS)]
    rest = [one["rest"] * 1000 for one in got]
    tools = {"get_run": "get_run", "status": "workflow_orchestrator, status"}
    return [
        line(f"MCP {name} vs REST: a run of 20 steps", ours := [one[what] * 1000 for one in got], rest, "ms",
             median_ratio(ours, rest), 1.2, "lower")
        for what, name in tools.items()
    ]  # fmt: skip


COMPARISONS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "temporal": on_temporal,
    "sqlite": celery_on_sqlite,
    "postgres": celery_on_postgres,
    "approvals": open_approvals,
    "growth": lambda folder: [growth(Databases(folder))],
    "monitoring": watching,
    "retention": retention,
    "projects": beside_agents,
    "mcp": over_mcp,
}


def main(chosen: list[str]) -> int:
    unknown = set(chosen) - COMPARISONS.keys()
    if unknown:
        console.print(f"there is no comparison {', '.join(sorted(unknown))}; choose from {', '.join(COMPARISONS)}")
        return 2
    lines: list[dict[str, Any]] = []
    for name in chosen or COMPARISONS:
        with tempfile.TemporaryDirectory(prefix="zen-bench-", ignore_cleanup_errors=True) as folder:
            lines += COMPARISONS[name](Path(folder))
    report(lines, keep=not chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
