"""What the system says of the processes of this machine, by /proc; and a signal to several of them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send the signal to each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _stat(pid: str) -> list[str]:
    """The words of /proc/PID/stat after the name: state, parent, group, session, …; empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def sessions() -> list[tuple[int, int]]:
    """The living processes and the session of each."""
    found = ((path.name, _stat(path.name)) for path in Path("/proc").glob("[0-9]*"))
    return [(int(pid), int(words[3])) for pid, words in found if words and words[0] != "Z"]


def descendants(pid: int) -> list[int]:
    """The processes below this one, without itself."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        if words := _stat(path.name):
            parents[int(path.name)] = int(words[1])
    found, more = list[int](), [pid]
    while more:
        more = [child for child, parent in parents.items() if parent in more]
        found += more
    return found


def inode_of(port: int) -> str:
    """Of the socket that has this port of the loopback; '' when none has."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[1].rpartition(":")[2], 16) == port and words[9] != "0":
            return words[9]
    return ""


def has_open(pid: int, inode: str) -> bool:
    """Whether the process holds the socket of this inode."""
    wanted = f"socket:[{inode}]"
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) == wanted:
                    return True
    return False
