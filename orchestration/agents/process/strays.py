"""Processes that inherited a variable: how to find and end those that nobody keeps any more."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

MOST_ROUNDS = 100


def marked(name: str, value: str) -> list[int]:
    """Ids of the processes with NAME=value in their environment; none where the system does not show it."""
    mark, found = os.fsencode(f"{name}={value}"), []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def end_marked(name: str, value: str) -> list[int]:
    """Kill them, again and again until there is none; return the ids of those that remain (not ours to kill)."""
    for _ in range(MOST_ROUNDS):
        left = marked(name, value)
        if not left:
            return []
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return marked(name, value)
