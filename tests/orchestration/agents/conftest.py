from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.servers.fixtures import missing


@pytest.fixture
def worktree(tmp_path: Path) -> Path:
    """A folder with a repository in it."""
    place = tmp_path / "worktree"
    place.mkdir()
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    return place


@pytest.fixture
def bubblewrap() -> None:
    if shutil.which("bwrap") is None:
        missing("bubblewrap", "install the package bubblewrap")
