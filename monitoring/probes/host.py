"""The probes of what one host has: its settings, the data folder, how scripts are confined."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from django.conf import settings
from django.core import checks

from monitoring.examine import Finding, State


def scripts() -> Finding:
    """How steps of type script are confined, and whether bubblewrap is installed."""
    if settings.ZEN_SCRIPTS == "off":
        return Finding(state=State.OFF, configured="off", detail="steps of type script are refused")
    if settings.ZEN_SCRIPTS == "unsafe":
        remedy = "ZEN_SCRIPTS=sandboxed confines them"
        return Finding(
            state=State.WARNING, configured="unsafe", detail="scripts have the worker's rights", remedy=remedy
        )
    path = shutil.which("bwrap")
    if path is None:
        remedy = "install bubblewrap (Debian: apt-get install bubblewrap)"
        return Finding(state=State.DOWN, configured="sandboxed", detail="bwrap is not on PATH", remedy=remedy)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=3)
    return Finding(state=State.OK, configured="sandboxed", version=said.stdout.strip())


def data_folder() -> Finding:
    """Whether ZEN_DATA_DIR can be written."""
    folder = Path(settings.ZEN_DATA_DIR)
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Finding(state=State.OK, configured=str(folder))
    remedy = "make it writable, or set ZEN_DATA_DIR"
    return Finding(state=State.DOWN, configured=str(folder), detail=f"{nearest} cannot be written to", remedy=remedy)


def settings_rules() -> Finding:
    """What Django's system checks say of the settings."""
    found = [message for message in checks.run_checks() if not message.is_silenced()]
    worst = max((message.level for message in found), default=0)
    said = [message for message in found if message.level >= min(worst, checks.WARNING)]
    state = State.DOWN if worst >= checks.ERROR else State.WARNING if worst >= checks.WARNING else State.OK
    remedy = "; ".join(message.hint for message in said if message.hint)
    return Finding(state=state, detail="; ".join(message.msg for message in said), remedy=remedy)
