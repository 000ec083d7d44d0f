"""The command of a release runs confined, whatever the site allows of scripts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from orchestration.projects.deployment.local import processes


@pytest.mark.parametrize("allowed", ["off", "sandboxed", "unsafe"])
def test_a_release_is_confined_whatever_scripts_may(tmp_path: Path, settings: Settings, allowed: str) -> None:
    settings.ZEN_SCRIPTS, settings.ZEN_DATA_DIR = allowed, tmp_path / "data"
    settings.ZEN_DATA_DIR.mkdir()
    words = processes.sandbox(tmp_path)
    assert words[0] == shutil.which("bwrap") and words[-1] == "--"
    hidden = words.index(str(settings.ZEN_DATA_DIR))
    assert words[hidden - 1] == "--tmpfs"


def test_without_bubblewrap_it_does_not_run_unless_that_is_said(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    for allowed in ("off", "sandboxed"):
        settings.ZEN_SCRIPTS = allowed
        with pytest.raises(processes.NotStarted, match="bwrap is not on the PATH"):
            processes.sandbox(tmp_path)
    settings.ZEN_SCRIPTS = "unsafe"
    assert processes.sandbox(tmp_path) == []
