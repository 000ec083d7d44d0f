from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.cast import account
from tests.crash.workers import ROOT

Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def manage(process_env: dict[str, str]) -> Manage:
    """`manage.py` as a process of its own, without a terminal, on the test's database."""
    env = process_env | {"ZEN_ENGINE": "celery"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )

    return run


@pytest.fixture
def people(transactional_db: None) -> None:
    for name in ("bob", "carol", "dora"):
        account(name)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    """A file with this text; its path."""

    def made(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return made
