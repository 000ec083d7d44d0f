from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import execute_from_command_line
from pytest_django import Settings

from tests.system.contract.cast import account

Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def manage(transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Manage:
    """`manage.py` without a terminal, in this process: another one is two seconds for each call."""
    settings.ZEN_ENGINE = "celery"
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        out, err, code = io.StringIO(), io.StringIO(), 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                execute_from_command_line(["manage.py", *arguments])
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

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
