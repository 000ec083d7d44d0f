"""Show what would happen, and ask. Without a terminal and without --yes nothing is done."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from approvals.console.preview import Preview
from approvals.console.text import visible
from orchestration.console.doors import BAD_INPUT, OTHERWISE, is_interactive, note


def confirm(what: str, shown: Preview | Iterable[str], *, yes: bool) -> None:
    """Leaves the command unless the answer is yes."""
    if yes:
        return
    preview = shown if isinstance(shown, Preview) else Preview(lines=tuple(shown))
    note(f"{visible(what)}:")
    for line in [f"not possible: {preview.refusal}"] if preview.refusal else preview.lines:
        note(f"  {visible(line)}")
    if preview.refusal:
        raise typer.Exit(OTHERWISE)
    if not is_interactive():
        note("there is no terminal to ask at; repeat with --yes")
        raise typer.Exit(BAD_INPUT)
    if not typer.confirm("Do it?", err=True):
        raise typer.Exit(OTHERWISE)
