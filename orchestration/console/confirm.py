"""Show what would happen, and ask. Without a terminal and without --yes nothing is done."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from orchestration.console.doors import BAD_INPUT, OTHERWISE, is_interactive, note


def confirm(what: str, lines: Iterable[str], *, refusal: str, yes: bool) -> None:
    """Leaves the command unless the answer is yes. `refusal`: why it cannot be done at all; '' when it can."""
    if yes:
        return
    note(f"{what}:")
    for line in [f"not possible: {refusal}"] if refusal else lines:
        note(f"  {line}")
    if refusal:
        raise typer.Exit(OTHERWISE)
    if not is_interactive():
        note("there is no terminal to ask at; repeat with --yes")
        raise typer.Exit(BAD_INPUT)
    if not typer.confirm("Do it?", err=True):
        raise typer.Exit(OTHERWISE)
