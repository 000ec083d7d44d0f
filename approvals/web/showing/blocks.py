"""JSON as blocks: each value as what it is, until the budget of the page is spent.

Text is text, with its lines. Only what its key calls Markdown (`…_md`) is read as such. In an action nothing is, nor is
a picture made of it there: what a yes performs is shown letter by letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from approvals.core.content import LONGEST_SCALAR, told_apart
from approvals.web.showing.marked import MOST_CHARACTERS, described, host_of
from approvals.web.showing.recognised import Table, diff_lines, is_diff, is_image, table_of
from foundation.templatetags.zen import clip, visible

DEEPEST = 8
LONGEST_TEXT, LONGEST_LINES = 2000, 10_000
LONGEST_LINK = 2000
LONGEST_LABEL = 120


@dataclass(slots=True, kw_only=True)
class Budget:
    """What a page shows at most. `parsed`: characters of Markdown. `cut`: something was left out.

    `literal`: what is shown now is an action.
    """

    nodes: int = 400
    characters: int = 60_000
    parsed: int = 40_000
    cut: bool = False
    literal: bool = False

    def spend(self, characters: int) -> None:
        self.nodes, self.characters = self.nodes - 1, self.characters - characters

    @property
    def is_spent(self) -> bool:
        return self.nodes <= 0 or self.characters <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """kind: text, long, markdown, diff, table, map, list, link, image or nothing. `is_open`: shown unfolded."""

    kind: str
    label: str = ""
    text: str = ""
    host: str = ""
    html: SafeString = field(default_factory=SafeString)
    lines: list[tuple[str, str]] = field(default_factory=list)
    table: Table | None = None
    children: list[Block] = field(default_factory=list)
    size: int = 0
    is_open: bool = True

    @property
    def is_inline(self) -> bool:
        return self.kind in ("text", "link", "nothing")


def blocks_of(content: dict[str, Any], budget: Budget) -> list[Block]:
    """One for each key."""
    return list(_of_pairs(content.items(), 1, budget))


def action_of(content: dict[str, Any], budget: Budget) -> list[Block]:
    """What a content's yes performs, if anything."""
    action = content.get("action")
    if not isinstance(action, dict):
        return []
    budget.literal = True
    blocks = blocks_of(action, budget)
    budget.literal = False
    return blocks


def _of_pairs(pairs: Iterable[tuple[Any, Any]], depth: int, budget: Budget) -> Iterator[Block]:
    for key, value in pairs:
        if budget.is_spent:
            budget.cut = True
            return
        yield _block(value, str(key), depth, budget)


def _block(value: Any, key: str, depth: int, budget: Budget) -> Block:
    label = clip(key, LONGEST_LABEL)
    budget.cut |= len(key) > LONGEST_LABEL
    if isinstance(value, str) and value:
        return _text(value, key, label, budget)
    if isinstance(value, dict | list) and value:
        return _many(value, label, depth, budget)
    budget.spend(10)
    if value is None or isinstance(value, str | dict | list):
        return Block(kind="nothing", label=label, text="null" if value is None else "empty")
    return Block(kind="text", label=label, text=json.dumps(value))


def _many(value: Any, label: str, depth: int, budget: Budget) -> Block:
    budget.spend(len(label))
    if depth >= DEEPEST:
        budget.cut = True
        return Block(kind="nothing", label=label, text="deeper than is shown here")
    table = table_of(value) if isinstance(value, list) else None
    if table is not None:
        budget.spend(table.characters)
        budget.cut |= table.cut
        return Block(kind="table", label=label, table=table, size=len(value))
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value, 1)
    kind = "map" if isinstance(value, dict) else "list"
    children = list(_of_pairs(pairs, depth + 1, budget))
    return Block(kind=kind, label=label, children=children, size=len(value), is_open=depth < 2 or len(value) <= 3)


def _text(value: str, key: str, label: str, budget: Budget) -> Block:
    has_lines = "\n" in value.strip()
    if not budget.literal and is_image(value):
        budget.spend(100)
        return Block(kind="image", label=label, text=value)
    if has_lines and is_diff(value):
        lines, cut = diff_lines(value)
        budget.spend(sum(len(text) for _, text in lines))
        budget.cut |= cut
        return Block(kind="diff", label=label, lines=lines)
    if key.endswith("_md") and not budget.literal and budget.parsed > 0:
        size = min(len(value), MOST_CHARACTERS)
        budget.parsed -= size
        budget.spend(size)
        budget.cut |= len(value) > size
        return Block(kind="markdown", label=label, html=described(value[:size]))
    most = LONGEST_LINES if has_lines else LONGEST_TEXT
    budget.spend(min(len(value), most))
    host = host_of(value) if len(value) <= LONGEST_LINK and not any(c.isspace() for c in value) else ""
    if host:
        return Block(kind="link", label=label, text=visible(value), host=host)
    budget.cut |= len(value) > most
    if has_lines or len(value) > LONGEST_SCALAR:
        return Block(kind="long", label=label, text=clip(value, most))
    return Block(kind="text", label=label, text=visible(told_apart(value)))
