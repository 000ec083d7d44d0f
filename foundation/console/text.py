"""Text that users wrote, shown at a terminal.

Characters that are invisible or that a terminal obeys are spelled out.
"""

from __future__ import annotations

import sys
import unicodedata

from rich.console import Console
from rich.table import Table
from rich.text import Text

from foundation.console.tables import whole

COLOURS = {
    "approved": "green", "rejected": "red", "expired": "red", "pending": "cyan", "rescue": "bold red",
    "cooling_off": "green", "changes_requested": "magenta", "withdrawn": "yellow", "cancelled": "yellow",
}  # fmt: skip
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidi, zero-width), surrogate, private and unassigned characters, and line separators."""


def visible(text: object, *, lines: bool = True) -> str:
    r"""The text with hidden characters as \x1b or \u202e.

    `lines`: line breaks and tabs stay; otherwise they are spelled out.
    """
    kept = "\n\t" if lines else ""
    return "".join(
        char if char in kept or unicodedata.category(char) not in HIDDEN else _spelled(char) for char in str(text)
    )


def _spelled(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def out() -> Console:
    """The console that prints text of users: no markup, emoji or colours are read out of it."""
    return Console(highlight=False, soft_wrap=True, emoji=False, markup=False)


def line(text: object = "", *, style: str = "") -> None:
    """Print one line of text, in a style of rich's."""
    out().print(Text(visible(text), style=style))


def status(word: str) -> Text:
    """A status word in its colour."""
    return Text(word, style=COLOURS.get(word, ""))


def table(*columns: str, rows: list[list[object]]) -> None:
    """At a terminal a table with nothing cut; else a line per row, its fields apart by tabs, for other programs."""
    if not sys.stdout.isatty():
        for row in rows:
            print(*(visible(cell, lines=False) for cell in row), sep="\t")
        return
    made = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(visible(cell, lines=False)) for cell in row))
    whole(made)
