"""A repository's own test command, and the one for its coverage."""

from __future__ import annotations

import pytest

from orchestration.agents.workspace.checks.commands import Files, command_for_coverage, command_for_tests, files_of
from orchestration.agents.workspace.repository import Repository
from tests.orchestration.agents.workspace.work import task

PYTEST = {"tests/test_a.py": "def test_a():\n    assert True\n"}
UNIT = {"tests/test_a.py": "import unittest\nclass A(unittest.TestCase):\n    def test_a(self): ...\n"}
JEST = {"package.json": '{"scripts": {"test": "jest"}, "devDependencies": {"jest": "1"}}'}


def given(files: dict[str, str]) -> Files:
    return Files(names=frozenset(files), read=lambda name: files.get(name, ""))


@pytest.mark.parametrize(
    ("files", "test", "coverage"),
    [
        ({}, None, None),
        ({"README.md": "make test"}, None, None),
        ({"Makefile": "all:\n\ntest: all\n\tpytest\n"}, "make test", None),
        ({"Makefile": "test := 1\n"}, None, None),
        (
            {"Makefile": "test:\n\tpytest\n", **PYTEST},
            "make test",
            "python3 -m coverage run -m pytest -q && python3 -m coverage report --fail-under=80",
        ),
        (
            PYTEST,
            "python3 -m pytest -q",
            "python3 -m coverage run -m pytest -q && python3 -m coverage report --fail-under=80",
        ),
        (
            UNIT,
            "python3 -m unittest discover -v -s tests -t .",
            (
                "python3 -m coverage run -m unittest discover -v -s tests -t . "
                "&& python3 -m coverage report --fail-under=80"
            ),
        ),
        ({**UNIT, "pyproject.toml": "[tool.pytest.ini_options]"}, "python3 -m pytest -q", ...),
        (
            JEST,
            "npm test --silent",
            """npx --no-install jest --coverage --coverageThreshold='{"global": {"lines": 80.0}}'""",
        ),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, None, None),
        ({"package.json": "{ broken"}, None, None),
        ({"package.json": '{"scripts": {"test": "node --test"}}'}, "npm test --silent", None),
        ({"Cargo.toml": "[package]"}, "cargo test", "cargo llvm-cov --fail-under-lines 80"),
        ({"go.mod": "module a", "a_test.go": ""}, "go test -v ./...", ...),
        ({"go.mod": "module a"}, None, None),
        ({"pom.xml": "", "mvnw": ""}, "./mvnw -q test", None),
        ({"build.gradle.kts": ""}, "gradle test", None),
        ({"Gemfile": "", "spec/a_spec.rb": ""}, "bundle exec rspec", None),
    ],
)
def test_commands(files: dict[str, str], test: str | None, coverage: object) -> None:
    assert command_for_tests(given(files)) == test
    if coverage is not ...:
        assert command_for_coverage(given(files), 80) == coverage


@pytest.mark.parametrize("percent", [0, -1, 100.1, float("nan")])
def test_a_percentage_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="is no percentage of coverage"):
        command_for_coverage(given(PYTEST), percent)


def test_files_of_a_commit_are_read_from_the_repository(repository: Repository) -> None:
    files = files_of(repository.git, task(repository, "t1", PYTEST | {"é\nü": "x"}))
    assert command_for_tests(files) == "python3 -m pytest -q"
    assert files.read("tests/test_a.py") == PYTEST["tests/test_a.py"] and files.read("nothing") == ""
