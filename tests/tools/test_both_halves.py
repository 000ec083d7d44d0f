"""`make test`: both halves always run, and the sum tells of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import test as runner
from tools.test import Half

pytestmark = pytest.mark.servers  # processes of its own

SUITE = """
import os, pytest
def test_passes(): pass
def test_fails(): assert not os.environ.get("FAILS")
def test_skips(): pytest.skip("no")
@pytest.fixture
def broken(): assert not os.environ.get("BREAKS")
def test_needs_what_breaks(broken): pass
def test_ends_the_process():
    if os.environ.get("ENDS"): os._exit(7)
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of its own, which the runner runs without the project's settings."""
    path = tmp_path / "test_of_the_suite.py"
    path.write_text(SUITE)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "-p", "no:cacheprovider"]
    monkeypatch.setattr(runner, "SIDE_BY_SIDE", [*pytest_alone, "--rootdir", str(tmp_path), str(path)])
    monkeypatch.setattr("tests.support.servers.report.lines", list)
    monkeypatch.setattr("tests.support.servers.time_skipping.program", lambda: None)
    return path


@pytest.fixture
def on_postgres(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "half_on_postgres", lambda: runner.half("-k", "passes"))


@pytest.mark.parametrize(
    ("trouble", "half"),
    [
        ("", Half(passed=4, skipped=1)),
        ("FAILS", Half(passed=3, failed=1, skipped=1)),
        ("BREAKS", Half(passed=3, failed=1, skipped=1)),
        ("ENDS", Half(failed=1)),
    ],
)
def test_a_half_is_counted(suite: Path, trouble: str, half: Half) -> None:
    assert runner.half(**({trouble: "1"} if trouble else {})) == half


def test_a_half_that_collects_nothing_is_empty(suite: Path) -> None:
    assert runner.half("-k", "none_of_them") == Half()


def test_a_half_that_cannot_be_collected_has_failed(suite: Path) -> None:
    suite.write_text("def test_(:")
    assert runner.half().failed


@pytest.mark.parametrize("trouble", ["FAILS", "ENDS"])
def test_the_second_half_runs_when_the_first_fails(
    on_postgres: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], trouble: str
) -> None:
    monkeypatch.setenv(trouble, "1")
    assert runner.main([]) == 1
    told = capsys.readouterr().out.splitlines()
    first = {"FAILS": "3 passed, 1 failed, 1 skipped", "ENDS": "0 passed, 1 failed, 0 skipped"}[trouble]
    total = {"FAILS": "4 passed, 1 failed, 1 skipped", "ENDS": "1 passed, 1 failed, 0 skipped"}[trouble]
    assert told[-3:] == [f"== SQLite: {first}", "== PostgreSQL: 1 passed, 0 failed, 0 skipped", f"== {total}"]


def test_two_green_halves_are_green(on_postgres: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "== 5 passed, 0 failed, 1 skipped"


def test_a_second_half_that_fails_is_no_green_run(
    suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "half_on_postgres", lambda: runner.half(FAILS="1"))
    assert runner.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "== 7 passed, 1 failed, 2 skipped"


def test_a_run_that_broke_off_without_a_report_has_failed(tmp_path: Path) -> None:
    assert runner.counted(tmp_path / "none.xml", 137) == Half(failed=1)
    (tmp_path / "half.xml").write_text("<testsuites><testsuite")
    assert runner.counted(tmp_path / "half.xml", 0) == Half(failed=1)


def test_arguments_make_one_run_of_them(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr("subprocess.run", run)
    assert runner.main(["-k", "sweep"]) == 3 and ran == [[*runner.PYTEST, "-k", "sweep"]]
