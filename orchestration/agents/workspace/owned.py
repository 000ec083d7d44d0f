"""Processes and ports that a run owns: those that carry its mark, or work in its folders."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from orchestration.agents.process.strays import marked
from orchestration.agents.workspace.layout import MARK, Layout

LISTENING = "0A"
MOST_ROUNDS = 200
PAUSE_SECONDS = 0.02


def processes(layout: Layout) -> list[int]:
    """Ids of the run's processes that live; none where the system does not show them (it is Linux's /proc)."""
    found = set(marked(MARK, layout.env[MARK]))
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            works_in = Path(str((folder / "cwd").readlink()).removesuffix(" (deleted)"))
            if any(works_in.is_relative_to(place) for place in layout.temporary):
                found.add(int(folder.name))
    return sorted(pid for pid in found if pid != os.getpid() and not _is_dead(pid))


def end(layout: Layout) -> list[int]:
    """Kill them until there is none; return those that remain, which belong to somebody else."""
    for _ in range(MOST_ROUNDS):
        left = processes(layout)
        if not left:
            return []
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)
    return processes(layout)


def ports(pids: Iterable[int]) -> list[int]:
    """TCP ports on which these processes listen."""
    sockets = {name for pid in pids for name in _sockets(pid)}
    return sorted({port for socket, port in _listening().items() if socket in sockets})


def _listening() -> dict[str, int]:
    """The port of each listening socket, by the socket's number."""
    found = {}
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING:
                    found[words[9]] = int(words[1].rpartition(":")[2], 16)
    return found


def _sockets(pid: int) -> list[str]:
    found = []
    with contextlib.suppress(OSError):
        for opened in Path("/proc", str(pid), "fd").iterdir():
            with contextlib.suppress(OSError):
                kind, _, number = str(opened.readlink()).partition(":[")
                found += [number.rstrip("]")] if kind == "socket" else []
    return found


def _is_dead(pid: int) -> bool:
    """Ended, and not yet asked for by its parent: it holds nothing any more."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
