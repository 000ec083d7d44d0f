"""Which command runs a repository's own tests, and which one measures their coverage, as its files tell."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestration.agents.workspace.checks.file_kinds import TEST_FILES
from orchestration.agents.workspace.git import Git, GitFailed

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
NO_TESTS = "no test specified"
MOST_READ = 200
LARGEST = 2 * 1024**2
"""Bytes of a file that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The names of a commit's files, and how one is read ('' when it is not there)."""

    names: frozenset[str]
    read: Callable[[str], str]

    def python_tests(self) -> list[str]:
        """The files with tests in Python."""
        mine = (name for name in sorted(self.names) if name.endswith(".py"))
        return [name for name in mine if TEST_FILES.fullmatch(name.rpartition("/")[2].encode(errors="replace"))]


def files_of(git: Git, sha: str) -> Files:
    """The files of a commit. Raises GitFailed."""
    names = (path.decode("utf-8", "surrogateescape") for path in git.records("ls-tree", "-r", "-z", "--name-only", sha))

    def read(name: str) -> str:
        try:
            return git.beginning("cat-file", "blob", f"{sha}:{name}", most=LARGEST)[0].decode(errors="replace")
        except GitFailed:
            return ""

    return Files(names=frozenset(names), read=read)


def command_for_tests(files: Files) -> str | None:
    """The command for "tests pass"; None when the repository does not show one."""
    for name in MAKEFILES:
        if name in files.names and re.search(r"^test[ \t]*:(?!=)", files.read(name), re.MULTILINE):
            return "make test"
    found = (find(files) for find in (_node, _python, _cargo, _go, _java, _ruby))
    return next((command for command in found if command), None)


def command_for_coverage(files: Files, percent: float) -> str | None:
    """The command for "coverage >= N%", which ends with 0 only then; None when the repository shows no way.

    Raises:
        ValueError: the percentage is none.
    """
    if not 0 < percent <= 100:
        raise ValueError(f"{percent:g} is no percentage of coverage; it is above 0 and at most 100")
    least = f"{percent:g}"
    found = (measure(files, least) for measure in (_python_coverage, _node_coverage, _go_coverage, _cargo_coverage))
    return next((command for command in found if command), None)


def _package(files: Files) -> Mapping[str, object]:
    try:
        found = json.loads(files.read("package.json")) if "package.json" in files.names else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _node(files: Files) -> str | None:
    scripts = _package(files).get("scripts")
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or not script.strip() or NO_TESTS in script:
        return None
    return "npm test --silent"


def _node_coverage(files: Files, least: str) -> str | None:
    if _node(files) is None:
        return None
    text = json.dumps(_package(files))
    if '"vitest"' in text:
        return f"npx --no-install vitest run --coverage --coverage.thresholds.lines={least}"
    if '"jest"' in text:
        threshold = json.dumps({"global": {"lines": float(least)}})
        return f"npx --no-install jest --coverage --coverageThreshold={shlex.quote(threshold)}"
    runner = next((name for name in ("c8", "nyc") if f'"{name}"' in text), None)
    return runner and f"npx --no-install {runner} --check-coverage --lines {least} npm test --silent"


def _python(files: Files) -> str | None:
    """unittest where nothing speaks of pytest, since every Python has it."""
    tests = files.python_tests()
    if not tests:
        return None
    texts = [files.read(name) for name in tests[:MOST_READ]]
    if _speaks_of_pytest(files) or any(
        re.search(r"^(async )?def test|\bpytest\b", text, re.MULTILINE) for text in texts
    ):
        return "python3 -m pytest -q"
    return "python3 -m unittest discover -v" + (
        " -s tests -t ." if all(one.startswith("tests/") for one in tests) else ""
    )


def _speaks_of_pytest(files: Files) -> bool:
    if files.names & {"pytest.ini", "pytest.toml", "conftest.py", "tests/conftest.py"}:
        return True
    return any(
        "pytest" in files.read(name) for name in ("pyproject.toml", "setup.cfg", "tox.ini") if name in files.names
    )


def _python_coverage(files: Files, least: str) -> str | None:
    command = _python(files)
    if command is None:
        return None
    ran = command.removeprefix("python3 -m ")
    return f"python3 -m coverage run -m {ran} && python3 -m coverage report --fail-under={least}"


def _cargo(files: Files) -> str | None:
    return "cargo test" if "Cargo.toml" in files.names else None


def _cargo_coverage(files: Files, least: str) -> str | None:
    return f"cargo llvm-cov --fail-under-lines {least}" if "Cargo.toml" in files.names else None


def _go(files: Files) -> str | None:
    """Told one by one (-v), so that skipped tests are seen."""
    has = "go.mod" in files.names and any(name.endswith("_test.go") for name in files.names)
    return "go test -v ./..." if has else None


def _go_coverage(files: Files, least: str) -> str | None:
    if _go(files) is None:
        return None
    judge = (
        f'awk \'/^total:/ {{ sub("%", "", $NF); seen = 1; exit !($NF + 0 >= {least}) }} END {{ if (!seen) exit 1 }}\''
    )
    return f'go test -coverprofile="$COVERAGE_FILE" ./... && go tool cover -func="$COVERAGE_FILE" | {judge}'


def _java(files: Files) -> str | None:
    if "pom.xml" in files.names:
        return "./mvnw -q test" if "mvnw" in files.names else "mvn -q test"
    if files.names & {"build.gradle", "build.gradle.kts"}:
        return "./gradlew test" if "gradlew" in files.names else "gradle test"
    return None


def _ruby(files: Files) -> str | None:
    if "Gemfile" not in files.names:
        return None
    if any(name.startswith("spec/") and name.endswith("_spec.rb") for name in files.names):
        return "bundle exec rspec"
    return "bundle exec rake test" if "Rakefile" in files.names else None
