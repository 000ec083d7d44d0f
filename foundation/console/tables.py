"""Tables at a terminal, of which nothing is cut."""

from __future__ import annotations

import sys

from rich.console import Console, ConsoleDimensions
from rich.table import Table

WIDEST = 100_000


def out() -> Console:
    """The console that prints tables: no colours of rich's own choosing, long lines left to the terminal."""
    return Console(highlight=False, soft_wrap=True)


def whole(table: Table) -> None:
    """Print a table with no cell cut or broken up, since people copy from it.

    Where it is too wide, the terminal wraps it.
    """
    for column in table.columns:
        column.no_wrap = True
    console = out()
    wanted = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    console.size = ConsoleDimensions(max(console.width, wanted), console.height)
    console.print(table)


def folded(table: Table) -> None:
    """Print a table whose long cells take more lines; into a file or a pipe nothing is folded."""
    if not sys.stdout.isatty():
        whole(table)
        return
    for column in table.columns:
        column.overflow = "fold"
    out().print(table)
