"""Lists of mappings as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from approvals.core.shown import told_apart
from orchestration.templatetags.zen import as_json, clip

MOST_ROWS = 50
MOST_COLUMNS = 8
LONGEST_CELL = 200
LONGEST_NAME = 60


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
