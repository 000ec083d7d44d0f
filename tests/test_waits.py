"""No test waits by a limit of its own: a busy machine would make it fail. See tests/support/waiting.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
WAITS = {"wait", "wait_for", "join", "result", "acquire", "communicate"}
SHORTEST_LIMIT = 0.1
"""Seconds; what is shorter is a pause in a loop."""


def limits(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the words of each wait with a number for its limit."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WAITS:
            given = [*node.args[-1:], *(word.value for word in node.keywords if word.arg == "timeout")]
            if any(_is_limit(value) for value in given):
                yield node.lineno, ast.unparse(node)


def _is_limit(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, (int, float)) and value.value >= SHORTEST_LIMIT


def test_waits_have_the_one_limit() -> None:
    found = [
        f"{path.relative_to(HERE)}:{line}: {words}"
        for path in sorted(HERE.rglob("*.py"))
        for line, words in limits(ast.parse(path.read_text()))
    ]
    assert found == [], "take PATIENCE_SECONDS of tests/support/waiting.py"


def test_such_a_wait_is_found() -> None:
    code = "thread.join(10)\nfuture.result(timeout=5)\nstop.wait(0.02)\npath.join('a')\nevent.wait(LONG)\n"
    assert [words for _, words in limits(ast.parse(code))] == ["thread.join(10)", "future.result(timeout=5)"]
