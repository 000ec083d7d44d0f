"""Dry runs and back-tests as text, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import folded, out
from monitoring.core.durations import in_words


def dry_run(found: Mapping[str, Any]) -> None:
    """How many open runs match, and what would be done about each."""
    out().print(f"{found['matched']} of {found['of']} open runs match")
    if not found["runs"]:
        return
    table = Table("run", "status", "would", "rung", "waits for", box=None, pad_edge=False)
    for row in found["runs"]:
        would = row["action"] or ", ".join(row["tells"]) or f"nothing: {row['refusal'] or 'all is spent'}"
        waits = row["waits"] or (f"a yes under {row['approval_policy']}" if row["needs_approval"] else "")
        cells = (row["workflow_id"], row["status"], would, str(row["rung"] or ""), waits)
        table.add_row(*(escape(cell) for cell in cells))
    folded(table)
    if found["matched"] > len(found["runs"]):
        out().print(f"{found['matched'] - len(found['runs'])} more are not shown")


def back_test(found: Mapping[str, Any]) -> None:
    """What it comes to, then a few runs."""
    out().print(f"{found['matched']} of {found['of']} runs matched; it would have acted on {found['would_have_acted']}")
    for action, count in found["by_action"].items():
        out().print(f"  {action}: {count}")
    alone = found["recovered_by_itself"]
    if found["would_have_acted"]:
        median = found["median_seconds_to_recover"]
        after = f", half of them within {in_words(median)}" if median is not None else ""
        out().print(f"  {alone} of these recovered by themselves{after}: there it would have been needless")
    if found["put_off"]:
        out().print(f"  {found['put_off']} would have waited for its budget of an hour")
    for why, count in found["refused"].items():
        out().print(f"  {count} not legal: {escape(why)}")
    if found["left_out"]:
        out().print(f"  {found['left_out']} were left out: their logs are too long, or were taken away")
    if found["unseen"]:
        out().print(f"  no log tells of: {', '.join(found['unseen'])}; there live may answer otherwise")
    if found["examples"]:
        table = Table("run", "matched", "would", "ended", box=None, pad_edge=False)
        for row in found["examples"]:
            would = row["action"] or f"nothing: {row['refusal'] or 'no action was due'}"
            table.add_row(*(escape(cell) for cell in (row["workflow_id"], row["matched_at"][:19], would, row["ended"])))
        folded(table)
