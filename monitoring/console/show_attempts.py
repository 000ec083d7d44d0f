"""Attempts of recovery as text, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import folded

COLOURS = {"worked": "green", "failed": "red", "no_effect": "red", "refused": "yellow", "rejected": "yellow"}


def attempt_list(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each attempt."""
    if not rows:
        return
    table = Table("id", "workflow", "what", "by", "at", "state", "", box=None, pad_edge=False)
    for row in rows:
        budget = f" {row['number']} of {row['of']}" if row["policy_id"] and row["number"] else ""
        step = f" {row['step_id']}" if row["step_id"] else ""
        word = row["state"].replace("_", " ")
        colour = COLOURS.get(row["state"])
        state = f"[{colour}]{word}[/{colour}]" if colour else word
        at = (row["acted_at"] or row["decided_at"])[:19]
        told = row["waits"] or row["verdict"] or row["reason"]
        cells = (escape(row["workflow_id"]), escape(f"{row['action']}{step}{budget}"))
        table.add_row(str(row["id"]), *cells, escape(row["policy_id"] or row["actor"]), at, state, escape(told))
    folded(table)
