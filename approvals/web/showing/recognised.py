"""Values that are more than text, recognised by what is in them: unified diffs, tables and pictures."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from approvals.core.content import told_apart
from foundation.templatetags.zen import as_json, clip, visible

MOST_LINES = 400
LONGEST_LINE = 400
MOST_ROWS = 50
MOST_COLUMNS = 8
LONGEST_CELL = 200
LONGEST_NAME = 60
LARGEST_IMAGE = 400_000
"""In characters: about 300 kB."""

_HUNK = re.compile(r"^@@ -\d+(,\d+)? \+\d+(,\d+)? @@", re.MULTILINE)
_FILES = re.compile(r"^--- .*\n\+\+\+ .*\n", re.MULTILINE)
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})")
_MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "webp": b"RIFF"}


def is_diff(text: str) -> bool:
    start = text[:20_000]
    return bool(_HUNK.search(start) and (_FILES.search(start) or start.startswith("@@")))


def diff_lines(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Tone and text of each line, and whether some were left out."""
    head = text[: MOST_LINES * (LONGEST_LINE + 1)]
    lines = head.removesuffix("\n").split("\n")  # what else some call an end of a line is spelled out
    cut = len(head) < len(text) or len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines)
    return [(_tone(line), _clipped(line)) for line in lines[:MOST_LINES]], cut


def _tone(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "file"
    if line.startswith("@@"):
        return "hunk"
    return {"+": "plus", "-": "minus"}.get(line[:1], "same")


def _clipped(line: str) -> str:
    return visible(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    head: list[str]
    rows: list[list[str]]
    cut: bool

    @property
    def characters(self) -> int:
        return sum(len(cell) for row in (self.head, *self.rows) for cell in row)


def table_of(values: list[Any]) -> Table | None:
    """None for what is better shown as a list."""
    head: dict[str, None] = {}
    for value in values[:MOST_ROWS]:
        if not isinstance(value, dict) or not value:
            return None
        head |= dict.fromkeys(value)
    if len(head) > MOST_COLUMNS or any(_is_nested(value) for value in values[:MOST_ROWS]):
        return None
    rows = [[_cell(value.get(name, "")) for name in head] for value in values[:MOST_ROWS]]
    too_long = any("…" in cell for row in rows for cell in row) or any(len(name) > LONGEST_NAME for name in head)
    return Table(head=[clip(name, LONGEST_NAME) for name in head], rows=rows, cut=len(values) > MOST_ROWS or too_long)


def _is_nested(value: dict[str, Any]) -> bool:
    return any((isinstance(item, dict | list) and item) or "\n" in str(item) for item in value.values())


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    return clip(told_apart(value), LONGEST_CELL) if isinstance(value, str) else as_json(value, LONGEST_CELL)


def is_image(text: str) -> bool:
    """Whether it is a data: URL of a small picture that is what it says it is."""
    if not text.startswith("data:image/") or len(text) > LARGEST_IMAGE:
        return False
    found = _IMAGE.fullmatch(text)
    if found is None:
        return False
    try:
        return base64.b64decode(found[2], validate=True).startswith(_MAGIC[found[1]])
    except binascii.Error:
        return False
