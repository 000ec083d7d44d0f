"""What is not committed is told before agents work without it, and no program of the repository is run for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestration.projects.uncommitted import warnings_of_uncommitted


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=me", "-c", "user.email=me@localhost")
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "calc.py").write_text("one\n")
    (tmp_path / ".gitignore").write_text("*.log\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_clean_one_has_no_warning(folder: Path) -> None:
    (folder / "ignored.log").write_text("x")
    (folder / "calc.py").touch()  # another time, the same bytes
    assert warnings_of_uncommitted(folder) == []


def test_changed_new_staged_and_removed_files_are_named(folder: Path) -> None:
    (folder / "calc.py").write_text("two\n")
    assert "'calc.py'; commit it first" in warnings_of_uncommitted(folder)[0]
    git(folder, "add", "-A")
    assert "'calc.py'; commit it first" in warnings_of_uncommitted(folder)[0]
    git(folder, "commit", "-qm", "second")
    for n in range(5):
        (folder / f"new{n}").write_text("x")
    (folder / "calc.py").unlink()
    told = warnings_of_uncommitted(folder)
    assert len(told) == 1 and "'calc.py', 'new0', 'new1' and 3 more" in told[0]


def test_no_program_of_the_repository_is_run(folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran.log"
    for name in ("core.fsmonitor", "filter.x.clean", "filter.x.process", "diff.external"):
        git(folder, "config", name, f"touch {ran}")
    (folder / ".git" / "info" / "attributes").write_text("* filter=x\n")
    (folder / "calc.py").write_text("two\n")
    assert warnings_of_uncommitted(folder)
    assert not ran.exists()


def test_what_git_cannot_tell_is_no_warning(tmp_path: Path) -> None:
    assert warnings_of_uncommitted(tmp_path) == []
    git(tmp_path, "init", "-q")
    (tmp_path / "new").write_text("x")
    assert warnings_of_uncommitted(tmp_path) == [], "without a commit it is refused elsewhere"
    (tmp_path / ".git" / "HEAD").unlink()
    assert warnings_of_uncommitted(tmp_path) == []
