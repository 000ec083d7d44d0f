"""Runs as text, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.core.matrix import Row

COLOURS = {
    "completed": "green", "succeeded": "green", "compensated": "green", "rolled_back": "yellow", "running": "cyan",
    "compensating": "yellow", "held": "magenta", "needs_attention": "bold red", "failed": "red", "unknown": "red",
    "compensation_failed": "bold red", "rollback_incomplete": "red", "force_stopped": "red",
}  # fmt: skip


def out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def coloured(word: str) -> str:
    colour = COLOURS.get(word)
    return f"[{colour}]{word}[/{colour}]" if colour else word


def run(view: dict[str, Any], why: list[str]) -> None:
    console = out()
    cause = f" because of {view['cause']}" if view["cause"] else ""
    console.print(f"{escape(view['workflow_id'])}  {coloured(view['status'])}{cause}  on the {view['engine']} engine")
    table = Table("step", "status", "attempts", "compensation", "error", box=None, pad_edge=False)
    for step in view["steps"]:
        undo = step["compensation"]
        tried = f" ({undo['attempts']})" if undo["attempts"] else ""
        error = step["error"] or undo["error"]
        table.add_row(
            escape(step["step_id"]), coloured(step["status"]), str(step["attempts"]),
            coloured(undo["status"]) + tried, escape(error[:100]),
        )  # fmt: skip
    console.print(table)
    for warning in view["warnings"]:
        console.print(f"[yellow]warning[/yellow]: {escape(warning)}")
    for line in why:
        console.print(f"→ {escape(line)}")


def matrix(rows: Sequence[Row]) -> None:
    table = Table("step", "when it", "the run ends", "undone, wave by wave", "stands", box=None, pad_edge=False)
    for row in rows:
        waves = " → ".join(", ".join(wave) for wave in row.undone) or "-"
        mishap = f"{row.mishap} (refused)" if row.refused else row.mishap
        table.add_row(escape(row.step_id), mishap, coloured(row.status), escape(waves), escape(", ".join(row.stands)))
    out().print(table)


def run_list(rows: list[dict[str, Any]]) -> None:
    table = Table("workflow_id", "status", "cause", "engine", "started", "finished", box=None, pad_edge=False)
    for row in rows:
        times = [(row[key] or "")[:19].replace("T", " ") for key in ("started_at", "finished_at")]
        table.add_row(escape(row["workflow_id"]), coloured(row["status"]), row["cause"] or "", row["engine"], *times)
    out().print(table if rows else "no runs yet; start one with `manage.py saga start FILE`")


def event(view: dict[str, Any]) -> str:
    data = view["data"]
    about = " ".join(f"{key}={value}" for key, value in data.items() if value not in ("", None))
    return f"{view['at'][11:23]}  {view['seq']:>4}  {view['kind']:<24} {view['step_id'] or '':<20} {about}"[:220]
