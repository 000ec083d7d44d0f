"""Words that the glossary has retired are in no name of a file, function or class."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("foundation", "notifications", "orchestration", "approvals", "monitoring", "zen_project")
GLOSSARY = (ROOT / "docs" / "reference" / "glossary.md").read_text()
RETIRED = frozenset(re.findall(r"\w+", GLOSSARY.partition("classes: ")[2]))


def words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower()))


def names(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def test_retired_words_are_in_no_name() -> None:
    assert len(RETIRED) > 10
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts
        for name in names(path)
        if words(name) & RETIRED
    ]
    assert found == []


def test_a_folder_is_small() -> None:
    """At most 8 modules at the root of an app, and 15 in a folder; without `__init__`."""
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts}
    sizes = {
        str(one.relative_to(ROOT)): sum(path.name != "__init__.py" for path in one.glob("*.py")) for one in folders
    }
    assert {name: size for name, size in sizes.items() if size > (8 if name in ROOMS else 15)} == {}
