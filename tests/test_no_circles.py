"""No module of ours imports another that, directly or by way of others, imports it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
ROOMS = ("zen_project", "monitoring", "approvals", "orchestration", "notifications", "foundation")


def circles(arrows: dict[str, set[str]]) -> Iterator[set[str]]:
    """The strongly connected parts of more than one module (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> Iterator[set[str]]:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in arrows[module]:
            if other not in index:
                yield from visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            found = set(stack[stack.index(module) :])
            del stack[stack.index(module) :]
            if len(found) > 1:
                yield found

    for module in arrows:
        if module not in index:
            yield from visit(module)


def test_what_a_circle_is() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}})) == [{"b", "c"}]
    assert list(circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})) == []


def test_there_is_none() -> None:
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    arrows = {module: graph.find_modules_directly_imported_by(module) & graph.modules for module in graph.modules}
    assert [sorted(circle) for circle in circles(arrows)] == []
