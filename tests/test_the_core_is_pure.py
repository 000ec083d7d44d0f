"""import-linter forbids names; this allows names: the standard library without the world outside, pydantic, itself."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PURE = ("foundation.canonical_json", "foundation.errors")
CORES = {"orchestration/core": (), "approvals/core": ("orchestration.core", *PURE)}  # and what each may look into
WORLD = {"asyncio", "logging", "os", "random", "secrets", "socket", "subprocess", "threading", "time"}
ALLOWED = (set(sys.stdlib_module_names) - WORLD) | {"pydantic", "pydantic_core"}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


@pytest.mark.parametrize("core", CORES)
def test_it_imports_the_standard_library_and_pydantic_only(core: str) -> None:
    known = (core.replace("/", "."), *CORES[core])
    strangers = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in (ROOT / core).rglob("*.py")
        for name in imports(file)
        if name.partition(".")[0] not in ALLOWED and not any(name == own or name.startswith(f"{own}.") for own in known)
    ]
    assert strangers == []


@pytest.mark.parametrize("module", PURE)
def test_what_a_core_looks_into_is_as_pure(module: str) -> None:
    names = {name.partition(".")[0] for name in imports(ROOT / f"{module.replace('.', '/')}.py")}
    assert names <= ALLOWED | {"rfc8785"}  # itself the standard library only: a value in, bytes out
