"""Runs as text, for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import folded, out, whole
from foundation.secrets.masking import excerpt
from foundation.visible_text import clean
from orchestration.core.saga.failure_matrix import Row

LONGEST_INPUT = 2000
FIELDS = ("workflow_id", "status", "cause", "engine", "started_at", "finished_at")
COLOURS = {
    "completed": "green", "succeeded": "green", "compensated": "green", "rolled_back": "yellow", "running": "cyan",
    "compensating": "yellow", "held": "magenta", "needs_attention": "bold red", "failed": "red", "unknown": "red",
    "compensation_failed": "bold red", "rollback_incomplete": "red", "force_stopped": "red",
}  # fmt: skip


def coloured(word: str) -> str:
    colour = COLOURS.get(word)
    return f"[{colour}]{word}[/{colour}]" if colour else word


def run(view: dict[str, Any], why: list[str]) -> None:
    console = out()
    cause = f" because of {view['cause']}" if view["cause"] else ""
    console.print(f"{escape(view['workflow_id'])}  {coloured(view['status'])}{cause}  on the {view['engine']} engine")
    if view["context"]:
        console.print(f"input: {escape(excerpt(view['context'], LONGEST_INPUT))}")
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
    if archived := view["archived"]:
        left = f"; left out: {', '.join(archived['left_out'])}" if archived["left_out"] else ""
        console.print(f"[yellow]archived[/yellow]: its events, attempts and log, on {archived['at'][:10]}{left}")
        console.print(f"  record: {escape(archived['file'] or 'no file was kept')}, SHA-256 {archived['sha256']}")
    for line in why:
        console.print(f"→ {escape(line)}")


def attempts(views: Sequence[Mapping[str, Any]]) -> None:
    """What each asked, and what came back."""
    console = out()
    for one in views:
        of = "undo of " if one["purpose"] == "undo" else ""
        again = f" (iteration {one['iteration']})" if one["iteration"] > 1 else ""
        number = f"session {one['session']}" if one.get("session") else f"#{one['attempt']}"
        head = f"{of}{one['step_id']} {number}{again}"
        console.print(f"\n{escape(head)}  {coloured(one['outcome'] or one['status'])}")
        if request := one["request"]:
            what = " ".join(request[name] for name in ("method", "url", "handler") if request.get(name))
            _parts("→", what, request.get("headers"), request["body"])
        if answer := one["answer"]:
            told = [name for name in ("status", "exit_code") if answer.get(name) is not None]
            what = " ".join(f"{name} {answer[name]}" for name in told)
            _parts("←", what, answer.get("headers"), answer.get("body") or "", answer.get("stderr") or "")
        if one["error"]:
            console.print(f"[red]error[/red]: {escape(one['error'])}")


def _parts(sign: str, what: str, headers: Mapping[str, str] | None, *texts: str) -> None:
    lines = [what, *(f"{name}: {value}" for name, value in (headers or {}).items()), *texts]
    for line in filter(None, lines):
        out().print(f"  {sign} {escape(clean(line))}")


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
