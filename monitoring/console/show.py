"""Health as text, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import folded, out
from monitoring.core import durations

COLOURS = {"healthy": "green", "warning": "yellow", "critical": "bold red", "unknown": "magenta"}


def coloured(word: str) -> str:
    """The word in its colour."""
    colour = COLOURS.get(word)
    return f"[{colour}]{word}[/{colour}]" if colour else word


def check(found: Mapping[str, Any], recovery: Sequence[str] = ()) -> None:
    """A run's health: its status, each issue with what to do; then what recovery has done, and why no more."""
    out().print(f"{escape(found['workflow_id'])}  {coloured(found['status'])}")
    for issue in found["issues"]:
        out().print(f"  {coloured(issue['severity'])}  {escape(issue['sentence'])}")
        if issue["act"] and issue["act"]["text"]:
            out().print(f"    → {escape(issue['act']['text'])}")
    if not found["issues"]:
        out().print("  nothing is wrong")
    for line in recovery:
        out().print(f"  recovery: {escape(line)}")


def site(found: Mapping[str, Any]) -> None:
    """The dashboard: one sentence, and the sagas that are worst."""
    told, summary = found["monitoring"], found["summary"]
    out().print(sentence(summary))
    watched = (
        f"watched {durations.in_words(told['lag_seconds'])} ago"
        if told["lag_seconds"] is not None
        else "not watched yet: start a worker"
    )
    out().print(watched if told["enabled"] else "monitoring is off (WORKFLOW_MONITORING_ENABLED)")
    for issue in found["site"]:
        out().print(f"  {coloured(issue['severity'])}  {escape(issue['sentence'])}")
    if found["by_saga"]:
        table = Table("saga", "open", "critical", "ended", "success", "p95", box=None, pad_edge=False)
        for row in found["by_saga"]:
            share = "" if row["success_rate"] is None else f"{100 * row['success_rate']:.1f} %"
            cells = (str(row["open"]), str(row["critical"]), str(row["ended"]), share, _seconds(row["p95_seconds"]))
            table.add_row(escape(row["saga_id"]), *cells)
        folded(table)


def sentence(summary: Mapping[str, Any]) -> str:
    """The site's state in one sentence."""
    counts = [
        f"{summary[f'{word}_workflows']} {word}"
        for word in ("critical", "warning", "unknown")
        if summary[f"{word}_workflows"]
    ]
    runs = "1 run is open" if summary["open_workflows"] == 1 else f"{summary['open_workflows']} runs are open"
    return f"{runs}; within a day: {', '.join(counts) or 'all healthy'}"


def in_trouble(rows: Sequence[Mapping[str, Any]]) -> None:
    """Runs that are not healthy, the worst first."""
    table = Table("workflow", "health", "since", "what", box=None, pad_edge=False)
    for row in rows:
        what = row["issues_detected"][0] if row["issues_detected"] else ""
        table.add_row(escape(row["workflow_id"]), coloured(row["status"]), row["since"][:19], escape(what))
    folded(table)


def norms(rows: Sequence[Mapping[str, Any]]) -> None:
    """What is usual, and from when on something is slow."""
    table = Table("saga", "step", "purpose", "n", "p50", "p95", "slow from", "because", box=None, pad_edge=False)
    for row in rows:
        cells = (f"{row['n']:.0f}", _seconds(row["p50"]), _seconds(row["p95"]), _seconds(row["slow_seconds"]))
        table.add_row(escape(row["saga_id"]), escape(row["step_id"] or "(run)"), row["purpose"], *cells, row["why"])
    folded(table)


def _seconds(value: float | None) -> str:
    """Three digits of what is short; all before the point of what is long."""
    return "" if value is None else f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"
