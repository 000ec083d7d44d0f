"""Show what would happen, and ask. Without a terminal and without --yes nothing is done."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from foundation.console.exit_codes import BAD_INPUT, OTHERWISE, is_interactive, note


def confirm(what: str, lines: Iterable[str], *, refusal: str, yes: bool) -> None:
    """Show `lines` and ask; returns only when the answer is yes.

    `refusal`: why it cannot be done at all; '' when it can.

    Raises:
        typer.Exit: 1 when it cannot be done or the answer is no, 2 when there is no terminal to ask at.
    """
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
