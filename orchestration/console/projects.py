"""Projects as text, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from foundation.console.tables import out, whole
from orchestration.console.show import coloured

LONGEST = 70
COLOURS = {
    "merged": "green", "served": "green", "proved": "green", "accepted": "green", "approved": "green",
    "working": "cyan", "waiting": "yellow", "unproved": "red", "unserved": "red", "refused": "red",
    "reverted": "yellow", "lied": "bold red", "done": "green",
}  # fmt: skip

View = Mapping[str, Any]


def show(view: View, why: Sequence[str]) -> None:
    """A project on a page."""
    console = out()
    cause = f" because of {view['cause']}" if view["cause"] else ""
    console.print(
        f"{escape(view['workflow_id'])}  {coloured(view['status'])}{cause}  phase {view['phase']}  "
        f"on the {view['engine']} engine"
    )
    done, spent, hours = view["progress"], view["cost"], view["forecast"]
    budget = f" of {spent['budget']}" if spent["budget"] else ""
    console.print(
        f"{done['tasks_done']} of {done['tasks_total']} tasks · {done['requirements_served']} of "
        f"{done['requirements_total']} requirements · {done['criteria_proved']} of {done['criteria_total']} criteria "
        "proved"
    )
    console.print(f"spent {spent['spent']}{budget} · hours {_hours(hours)}")
    _tasks(view["tasks"])
    requirements(view["requirements"])
    _criteria(view["criteria"])
    _gates(view["gates"])
    if view["error"]:
        console.print(f"[red]error[/red]: {escape(view['error'])}")
    for warning in view["warnings"]:
        console.print(f"[yellow]warning[/yellow]: {escape(warning)}")
    for line in why:
        console.print(f"→ {escape(line)}")


def plan(view: View) -> None:
    """The tasks of a plan."""
    if not view["tasks"]:
        out().print("there is no plan yet; an agent makes it")
        return
    table = Table("task", "agent", "serves", "after", "title", box=None, pad_edge=False)
    for one in view["tasks"]:
        cells = (
            one["task_id"],
            one["agent_type"],
            ", ".join(one["requirements"]),
            ", ".join(one["dependencies"]) or "-",
        )
        table.add_row(*(escape(cell) for cell in cells), escape(_cut(one["title"])))
    whole(table)
    out().print(f"plan {view['plan_hash'][:16]}{'' if view['made'] else ', as it would be made now'}")


def tasks(views: Sequence[View]) -> None:
    """Each task and the sessions at it."""
    console = out()
    for one in views:
        console.print(f"\n{escape(one['task_id'])}  {_word(one['status'])}  {escape(_cut(one['title']))}")
        for row in one["attempts"]:
            took = f"{row['turns']} turns, {row['tokens']['input'] + row['tokens']['output']} tokens"
            money = f", {row['cost']}" if row["cost"] is not None else ""
            verdict = row["verdict"] or row["ended"] or "at work"
            console.print(f"  #{row['session']} {escape(row['endpoint'])}: {_word(verdict)} ({took}{money})")
            if row["error"]:
                console.print(f"    {escape(row['error'])}")
        if one["error"]:
            console.print(f"  [red]error[/red]: {escape(one['error'])}")


def requirements(found: Sequence[View]) -> None:
    """The coverage: requirement, its tasks, how far it is."""
    table = Table("requirement", "status", "tasks", "text", box=None, pad_edge=False)
    for one in found:
        table.add_row(
            one["id"], _word(one["status"]), escape(", ".join(one["tasks"]) or "-"), escape(_cut(one["text"]))
        )
    whole(table)


def evidence(view: View) -> None:
    """What proves the project."""
    console = out()
    _criteria(view["criteria"])
    for one in view["checks"]:
        said = "[green]passed[/green]" if one["passed"] else f"[red]{escape(one['why'])}[/red]"
        console.print(f"`{escape(one['command'])}`: {said} in {one['seconds']:g} s, output {one['digest'][:16]}")
    for line in view["tampering"]:
        console.print(f"[red]tests[/red]: {escape(line)}")
    if view["commit"]:
        console.print(f"commit {view['commit']}, evidence {(view['evidence_digest'] or '')[:16]}")
    if view["signature"]:
        console.print(f"signed: {view['hash']}")


def costs(view: View) -> None:
    """What was spent."""
    budget = f" of {view['budget']}" if view["budget"] else ""
    unknown = f"; of {view['unknown']} sessions nothing tells the cost" if view["unknown"] else ""
    out().print(f"spent {view['spent']}{budget}{unknown}")
    for title in ("tasks", "endpoints"):
        table = Table(title, "sessions", "spent", "tokens in", "out", "cached", box=None, pad_edge=False)
        for one in view[title]:
            counts = (str(one["tokens"][kind]) for kind in ("input", "output", "cached"))
            table.add_row(escape(one["name"]), str(one["attempts"]), one["spent"], *counts)
        whole(table)


def _tasks(found: Sequence[View]) -> None:
    table = Table("task", "agent", "status", "verdict", "sessions", "endpoint", "commit", box=None, pad_edge=False)
    for one in found:
        verdict = _word(one["verdict"]) if one["verdict"] else "-"
        cells = (
            _word(one["status"]),
            verdict,
            str(one["attempts"]),
            escape(one["endpoint"] or "-"),
            (one["commit"] or "-")[:12],
        )
        table.add_row(escape(one["task_id"]), one["agent_type"], *cells)
    whole(table)


def _criteria(found: Sequence[View]) -> None:
    table = Table("criterion", "status", "check", "text", box=None, pad_edge=False)
    for one in found:
        table.add_row(
            one["id"], _word(one["status"]), escape(_cut(one["check"] or "people")), escape(_cut(one["text"]))
        )
    if found:
        whole(table)


def _gates(found: Sequence[View]) -> None:
    table = Table("gate", "status", "by", "request", box=None, pad_edge=False)
    for one in found:
        by = ", ".join(one["approvers"]) or "-"
        table.add_row(escape(one["name"]), _word(one["status"]), escape(by), escape(one["request_id"] or "-"))
    if found:
        whole(table)


def _hours(hours: View) -> str:
    told = {key: "-" if hours[key] is None else f"{hours[key]:g}" for key in hours}
    allowed = "" if hours["timeline_hours"] is None else f", {told['timeline_hours']} allowed"
    so_far = f"{told['actual_hours']} so far, {told['expected_hours']} expected"
    return f"{so_far}, {told['estimated_hours']} estimated{allowed}"


def _word(word: str) -> str:
    colour = COLOURS.get(word)
    return f"[{colour}]{word}[/{colour}]" if colour else word


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
