"""The mermaid state diagrams of docs/reference/states.md as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "states.md"
BOX = re.compile(r"state (\w+) \{")
ARROW = re.compile(r"(\[\*\]|\w+) --> (\[\*\]|\w+)")
OUTSIDE = "[*]"


@dataclass(frozen=True)
class Diagram:
    states: frozenset[str]
    starts: frozenset[str]
    ends: frozenset[str]
    arrows: frozenset[tuple[str, str]]


def diagrams() -> list[Diagram]:
    """In the page's order: runs, steps, compensations, requests."""
    return [_read(text) for text in re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE.read_text(), re.DOTALL)]


def _read(text: str) -> Diagram:
    boxes: dict[str, set[str]] = {}
    arrows: list[tuple[str, str]] = []
    box = ""
    for line in map(str.strip, text.splitlines()):
        if found := BOX.fullmatch(line):
            box = found[1]
            boxes[box] = set()
        elif line == "}":
            box = ""
        elif found := ARROW.match(line):
            arrows.append((found[1], found[2]))
        elif box:
            boxes[box].add(line)
    whole = {
        (one, other)
        for source, target in arrows
        for one in boxes.get(source, {source})
        for other in boxes.get(target, {target})
    }
    inner = frozenset(arrow for arrow in whole if OUTSIDE not in arrow)
    return Diagram(
        states=frozenset({state for arrow in whole for state in arrow} - {OUTSIDE}),
        starts=frozenset(target for source, target in whole if source == OUTSIDE),
        ends=frozenset(source for source, target in whole if target == OUTSIDE),
        arrows=inner,
    )
