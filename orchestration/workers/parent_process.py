"""What a helper process of a worker can tell of the worker, which is its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def is_stopped(pid: int) -> bool:
    """By SIGSTOP or a debugger, or dead and not waited for; False where the system does not tell."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in ("T", "t", "Z", "X")


def end_with_parent() -> None:
    """The kernel kills this process when the thread that started it ends; on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def lives(pid: int) -> bool:
    """Whether the process that started this one, `pid`, is still its parent."""
    return os.getppid() == pid
