"""Every package of the rooms says at its head what it is for, what it promises, and who may import it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.test_names import ROOMS, ROOT

SHORT = frozenset({"migrations", "management", "commands", "templatetags", "formats"})
"""Folders that Django wants, and finds by their names: a line is enough."""

AT_LENGTH = frozenset({"orchestration.engines"})
"""Here the words of the engines are explained once, for all other modules to refer to."""

LEAST, MOST = 5, 20


def packages() -> Iterator[tuple[str, int]]:
    """Dotted name of a package, and how many lines its docstring has."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("__init__.py")):
            if "migrations" not in path.parts:
                yield ".".join(path.relative_to(ROOT).parts[:-1]), lines_of(path)


def lines_of(path: Path) -> int:
    return len((ast.get_docstring(ast.parse(path.read_text())) or "").splitlines())


def test_a_package_opens_with_five_to_twenty_lines() -> None:
    found = dict(packages())
    assert len(found) > 60
    wrong = {
        name: lines
        for name, lines in found.items()
        if not (1 if SHORT & set(name.split(".")) else LEAST) <= lines <= (MOST if name not in AT_LENGTH else 60)
    }
    assert wrong == {}


def test_the_words_of_the_engines_are_explained_at_length() -> None:
    text = ast.get_docstring(ast.parse((ROOT / "orchestration" / "engines" / "__init__.py").read_text())) or ""
    words = ("Command", "Claim", "Epoch", "Lease", "Sweep", "Group commit", "Nudge", "Turn")
    assert [word for word in words if f"- *{word}*:" not in text] == []


REFERENCE = re.compile(rf"`((?:{'|'.join(ROOMS)})(?:\.\w+)+)")
PAGE = re.compile(r"\bdocs/[\w/-]+\.md\b|\bdocs/adr/\d{4}\b")


def docstrings() -> Iterator[tuple[Path, str]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                        yield path, str(node.value.value)


def names_something(dotted: str) -> bool:
    """A module, or a name that stands in one."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        module = next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)
        if module is not None:
            return count == len(parts) or re.search(rf"\b{parts[count]}\b", module.read_text()) is not None
    return False


def test_modules_that_docstrings_name_are_there() -> None:
    named = {(str(path.relative_to(ROOT)), found) for path, text in docstrings() for found in REFERENCE.findall(text)}
    assert len(named) > 50
    assert [pair for pair in sorted(named) if not names_something(pair[1])] == []


def test_pages_that_docstrings_name_are_there() -> None:
    named = {(str(path.relative_to(ROOT)), found) for path, text in docstrings() for found in PAGE.findall(text)}
    assert len(named) > 20
    assert [pair for pair in sorted(named) if not list(ROOT.glob(f"{pair[1]}*"))] == []
