"""Ports of this machine's loopback: which are free, why one cannot be had, who listens."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

PORTS = range(20_000, 32_768)
"""Below the range from which Linux and macOS take ports for outgoing calls: one of those could be in between."""
LISTENING = "0A"


def free_ports(most: int) -> Iterator[int]:
    """Ports of ours that nobody has at this moment, in any order; at most so many are looked at."""
    for port in random.sample(PORTS, most):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


def taken(port: int) -> str:
    """Why a server cannot listen on this port of the loopback, with who has it; '' when it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = error.strerror
        else:
            return ""
    holders = [f"process {pid}, {_command(pid)}" for pid in holders_of(port)]
    return f"port {port} cannot be had ({reason}{f'; {holders[0]} has it' if holders else ''})"


def listens(port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def holders_of(port: int) -> list[int]:
    """The processes that listen there: on Linux, and of those that we may look into."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    found = []
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        with contextlib.suppress(OSError):
            if any(_points_to(one) in sockets for one in (process / "fd").iterdir()):
                found.append(int(process.name))
    return found


def _command(pid: int) -> str:
    try:
        words = (Path("/proc") / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "?"
    return " ".join(words).strip()[:120]


def _points_to(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed meanwhile
        return ""


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                    found.add(words[9])
    return found
