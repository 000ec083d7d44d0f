"""A run with a repository of its own, and a user's repository to begin from."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from tests.orchestration.agents.workspace.work import git, write


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.of("shop", tmp_path / "data")


@pytest.fixture
def repository(layout: Layout) -> Repository:
    return Repository.create(layout)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A user's checkout with one commit, and a hook, a filter and a monitor of the user's own."""
    folder = tmp_path / "source"
    subprocess.run(["git", "init", "--quiet", "-b", "trunk", str(folder)], check=True)
    write(folder, {"shop.py": "PRICE = 1\n", "tests/test_shop.py": "def test_price():\n    assert True\n"})
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Open the shop")
    return folder


@pytest.fixture
def trap(tmp_path: Path) -> Callable[[], bool]:
    """Whether something ran the program that the traps of these tests name."""
    program = tmp_path / "trap"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    program.chmod(0o755)
    return lambda: (tmp_path / "sprung").exists()
