"""Alerts as text, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import folded, out
from monitoring.console.show import coloured
from monitoring.core import durations


def alert_list(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each alert."""
    if not rows:
        return
    table = Table("id", "severity", "runs", "since", "who", "what", box=None, pad_edge=False)
    for row in rows:
        who = row["acked_by"] or (
            "silenced" if row["silenced_until"] else "" if row["state"] == "firing" else "resolved"
        )
        cells = (str(row["id"]), coloured(row["severity"]), str(row["members"]), row["opened_at"][:19])
        table.add_row(*cells, escape(who), escape(row["title"]))
    folded(table)


def alert(view: Mapping[str, Any]) -> None:
    """One alert whole."""
    out().print(f"alert {view['id']}  {coloured(view['severity'])}  {view['state']}")
    out().print(f"  {escape(view['title'])}")
    for row in view["member_list"]:
        gone = "" if row["left_at"] is None else f"  (left {row['left_at'][:19]})"
        out().print(f"  {escape(row['workflow_id'] or '?')}  {row['status'] or ''}{gone}")
    for row in view["notes"]:
        by = f" by {escape(row['actor'])}" if row["actor"] else ""
        out().print(f"  {row['at'][:19]}  {row['kind']}{by}  {escape(row['note'])}")


def rule_list(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each rule."""
    table = Table("rule", "", "severity", "tells", "after", "gone", "again", "firing", box=None, pad_edge=False)
    for row in rows:
        whom = ", ".join(f"{name} (not there)" if name in row["unheard"] else name for name in row["channels"])
        times = [durations.in_words(row[field]) for field in ("for_s", "resolve_after_s", "repeat_s")]
        cells = (coloured(row["severity"]), escape(whom or "the operators"), *times, str(row["firing"]))
        table.add_row(row["name"], "on" if row["enabled"] else "off", *cells)
    folded(table)


def act_preview(found: Mapping[str, Any]) -> None:
    """What a verb would do to the runs of an alert."""
    out().print(
        f"{found['verb']} is legal on {found['legal']} of {len(found['runs'])} runs shown, {found['of']} in all"
    )
    for row in found["runs"]:
        step = f" {escape(row['step_id'])}" if row["step_id"] else ""
        out().print(f"  {escape(row['workflow_id'])}{step}" + (f"  not: {escape(row['why'])}" if row["why"] else ""))


def act_results(view: Mapping[str, Any]) -> None:
    """What came of it."""
    results = view["results"] or {}
    if view["error"]:
        out().print(f"job {view['id']} failed: {escape(view['error'])}")
    for row in results.get("runs", ()):
        message = f"  {escape(row['message'])}" if row["message"] else ""
        out().print(f"  {escape(row['workflow_id'])}  {row['result']}{message}")
    told = ", ".join(f"{count} {word}" for word, count in results.get("counts", {}).items())
    out().print(f"job {view['id']}: {told}" + (f"; {results['stopped']}" if results.get("stopped") else ""))
