"""What the code imports is what the project declares and pins: no luck with a developer's own environment."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("zen_project", "monitoring", "approvals", "orchestration", "notifications")


def normal(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def imported() -> Iterator[tuple[str, Path]]:
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], file) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0], file


def test_every_import_of_the_rooms_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lists = [project["dependencies"], *(extras[extra] for extra in ("temporal", "postgres", "nats", "kafka", "mcp"))]
    declared = {normal(requirement) for requirements in lists for requirement in requirements} | {"pydantic-core"}
    providers = packages_distributions()
    undeclared = {
        f"{file.relative_to(ROOT)}: {name}"
        for name, file in imported()
        if name not in sys.stdlib_module_names and name not in ROOMS
        if not declared & {normal(distribution) for distribution in providers.get(name, [name])}
    }
    assert undeclared == set()


def test_what_the_default_install_runs_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {normal(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line}
    assert {normal(requirement) for requirement in project["dependencies"]} <= pinned
