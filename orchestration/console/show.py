"""Runs as text, for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.markup import escape
from rich.table import Table

from orchestration.core.matrix import Row

WIDEST = 100_000
FIELDS = ("workflow_id", "status", "cause", "engine", "started_at", "finished_at")
COLOURS = {
    "completed": "green", "succeeded": "green", "compensated": "green", "rolled_back": "yellow", "running": "cyan",
    "compensating": "yellow", "held": "magenta", "needs_attention": "bold red", "failed": "red", "unknown": "red",
    "compensation_failed": "bold red", "rollback_incomplete": "red", "force_stopped": "red",
}  # fmt: skip


def out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def whole(table: Table) -> None:
    """Nothing in it is cut or broken up, since one copies from it: where it is too wide, the terminal wraps it."""
    for column in table.columns:
        column.no_wrap = True
    console = out()
    wanted = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    console.size = ConsoleDimensions(max(console.width, wanted), console.height)
    console.print(table)


def folded(table: Table) -> None:
    """Long cells take more lines; into a file or a pipe, where nobody looks at the width, they are whole."""
    if not sys.stdout.isatty():
        whole(table)
        return
    for column in table.columns:
        column.overflow = "fold"
    out().print(table)


def coloured(word: str) -> str:
    colour = COLOURS.get(word)
    return f"[{colour}]{word}[/{colour}]" if colour else word


def run(view: dict[str, Any], why: list[str]) -> None:
    console = out()
    cause = f" because of {view['cause']}" if view["cause"] else ""
    console.print(f"{escape(view['workflow_id'])}  {coloured(view['status'])}{cause}  on the {view['engine']} engine")
    table = Table("step", "status", "attempts", "compensation", box=None, pad_edge=False)
    for step in view["steps"]:
        undo = step["compensation"]
        tried = f" ({undo['attempts']})" if undo["attempts"] else ""
        cells = (coloured(step["status"]), str(step["attempts"]), coloured(undo["status"]) + tried)
        table.add_row(escape(step["step_id"]), *cells)
    whole(table)
    for step in view["steps"]:
        for of, error in (("", step["error"]), ("undoing ", step["compensation"]["error"])):
            if error:
                console.print(f"[red]error[/red]: {of}{escape(step['step_id'])}: {escape(error)}")
    for step in view["steps"]:
        if "possibly_repeated" in step:
            again = f"taken up {step['possibly_repeated']} times, as a worker was lost: its call may have been repeated"
            console.print(f"[yellow]note[/yellow]: step '{escape(step['step_id'])}': {again}, under the same key")
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
    folded(table)


def run_list(rows: list[dict[str, Any]]) -> None:
    """At a terminal a table; else a line per run, its fields apart by tabs, for other programs."""
    if not sys.stdout.isatty():
        for row in rows:
            print(*(row[name] or "" for name in FIELDS), sep="\t")
        return
    table = Table(*FIELDS, box=None, pad_edge=False)
    for row in rows:
        times = [(row[key] or "")[:19].replace("T", " ") for key in ("started_at", "finished_at")]
        table.add_row(escape(row["workflow_id"]), coloured(row["status"]), row["cause"] or "", row["engine"], *times)
    whole(table)


def event(view: dict[str, Any]) -> str:
    data = view["data"]
    about = " ".join(f"{key}={value}" for key, value in data.items() if value not in ("", None))
    return f"{view['at'][11:23]}  {view['seq']:>4}  {view['kind']:<24} {view['step_id'] or '':<20} {about}"
