"""JSON in lines, as terminals' programs print it: with what moves a cursor or sets a title before it or after it."""

from __future__ import annotations

import json
import re
from typing import Any

DECORATION = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
    r"|[\ufeff\x00\x07\x08]"
)
"""Titles of windows, cursors and colours, strings for terminals, and a mark of byte order."""


def object_of(line: str | bytes) -> dict[str, Any] | None:
    """The JSON object in a line; None where it is another thing. In JSON itself none of those characters can stand."""
    text = line.decode(errors="replace") if isinstance(line, bytes) else line
    value = _read(text)
    if value is None and DECORATION.search(text):
        value = _read(DECORATION.sub("", text))
    return value


def _read(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
