"""`manage.py doctor`: look at every server and part, and say what to do about those that cannot be used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from django_typer.management import TyperCommand
from rich.markup import escape
from rich.table import Table

from foundation.console.exit_codes import BAD_INPUT, OK, UNREACHABLE, put_json
from foundation.console.tables import folded, out
from monitoring.examine import Finding, State, examine
from monitoring.probes import PROBES
from monitoring.retention.estimate import retention

SIGNS = {State.OK: "[green]ok[/]", State.OFF: "off", State.WARNING: "[yellow]warning[/]", State.DOWN: "[red]DOWN[/]"}


class Command(TyperCommand):
    help = "Look at every server and part: configured as what, reached, which version, what to do."
    requires_system_checks: list[str] = []  # they are one of the parts

    def handle(self, json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False) -> None:
        """Run all probes and show what they found."""
        found = examine({**PROBES, "retention": retention})
        code = exit_code(found)
        if json:
            put_json({"ok": code == OK, "parts": [asdict(finding) for finding in found]})
        else:
            show(found)
        raise typer.Exit(code)


def exit_code(found: list[Finding]) -> int:
    """0: all that is configured can be used. 2: the settings are wrong. 3: a server or part is down."""
    down = {finding.part for finding in found if finding.state is State.DOWN}
    if "settings" in down:
        return BAD_INPUT
    return UNREACHABLE if down else OK


def show(found: list[Finding]) -> None:
    """Print the findings as a table, and below it each remedy on a line of its own, so that it can be copied."""
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "state", "what"):
        table.add_column(heading, overflow="fold")
    for finding in found:
        what = " · ".join(text for text in (finding.configured, finding.version, finding.detail) if text)
        table.add_row(finding.part, SIGNS[finding.state], escape(what))
    folded(table)
    for finding in found:
        if finding.remedy and finding.state is not State.OFF:
            out().print(f"→ {finding.part}: {escape(finding.remedy)}")
