"""What the code imports is what the project declares and pins: no luck with a developer's own environment."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("zen_project", "monitoring", "approvals", "orchestration", "notifications", "foundation")


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
    lists = [
        project["dependencies"],
        *(extras[extra] for extra in ("agents", "temporal", "postgres", "nats", "kafka", "mcp", "otel")),
    ]
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


def pins(file: str) -> dict[str, list[str]]:
    """Each pinned package of a file, and its hashes."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / file).read_text().splitlines():
        if line.startswith("    --hash=sha256:"):
            found[name].append(line.strip().removeprefix("--hash=sha256:").removesuffix(" \\"))
        elif line and not line.startswith(("#", " ")):
            assert "==" in line and "://" not in line and " @ " not in line, line
            name = line
            found[name] = []
    return found


@pytest.mark.parametrize(
    "file", ["requirements.txt", "requirements-dev.txt", "requirements-docs.txt", "requirements-embedded.txt"]
)
def test_each_pin_has_hashes_so_that_pip_takes_nothing_else(file: str) -> None:
    found = pins(file)
    assert len(found) > 3
    assert [name for name, hashes in found.items() if not hashes] == []
    assert all(re.fullmatch("[0-9a-f]{64}", one) for hashes in found.values() for one in hashes)


def test_no_package_is_pinned_twice() -> None:
    """But for one that another file pins for some platform alone."""
    lines = [
        line for file in ("requirements.txt", "requirements-dev.txt", "requirements-docs.txt") for line in pins(file)
    ]
    everywhere = [normal(line) for line in lines if ";" not in line]
    assert sorted(everywhere) == sorted(set(everywhere)) and sorted(lines) == sorted(set(lines))


def test_a_file_with_another_content_is_refused(tmp_path: Path) -> None:
    """What the hashes are for: a package of the same name and version, from wherever it comes."""
    source = tmp_path / "zen-demo-0.1"
    source.mkdir()
    (source / "pyproject.toml").write_text('[project]\nname = "zen-demo"\nversion = "0.1"\n')
    (tmp_path / "r.txt").write_text("zen-demo==0.1 --hash=sha256:" + "0" * 64 + "\n")
    with tarfile.open(tmp_path / "zen_demo-0.1.tar.gz", "w:gz") as packed:
        packed.add(source, "zen-demo-0.1")
    command = [sys.executable, "-m", "pip", "download", "--no-index", "--no-deps", "--no-build-isolation"]
    command += ["--find-links", str(tmp_path), "-d", str(tmp_path / "got"), "-r", str(tmp_path / "r.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode and "DO NOT MATCH THE HASHES" in done.stderr
