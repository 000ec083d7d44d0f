"""Ports of this machine: leases among deployments, and who has a port that is taken."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import uuid
from pathlib import Path

from orchestration.projects.deployment.local.folder import root

PORTS = range(20_000, 32_768)
"""Below the range from which systems take ports for outgoing calls."""
TRIES = 400
LISTENING = "0A"


class NoPort(Exception):
    """A port cannot be had; the message says who has it."""


def lease(owner: str) -> int:
    """A free port that no other deployment gets until `release` gives it back. Raises NoPort when none is free."""
    for port in random.sample(PORTS, TRIES):
        if _take(port, owner):
            if not taken(port):
                return port
            give_back(port, owner)
    raise NoPort(f"none of {TRIES} ports between {PORTS.start} and {PORTS.stop} is free")


def lease_this(port: int, owner: str) -> None:
    """Lease a port that was asked for. Raises NoPort when another deployment has it; it may still be taken."""
    if not _take(port, owner):
        raise NoPort(f"port {port} belongs to the deployment {Path(_owner(port)).name}")


def give_back(port: int, owner: str) -> None:
    """Give a lease back; one of somebody else's is left alone."""
    if _owner(port) == owner:
        _file(port).unlink(missing_ok=True)


def leases(owner: str = "") -> dict[int, str]:
    """The leased ports and whose they are; `owner`: only those that begin with it."""
    found = {int(path.name): _owner(int(path.name)) for path in (root() / ".ports").glob("[0-9]*")}
    return {port: whose for port, whose in found.items() if whose.startswith(owner)}


def taken(port: int) -> str:
    """Why a server cannot listen on this port of the loopback; '' when it can."""
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


def holders_of(port: int) -> list[int]:
    """The processes that listen there, of those that we may look into."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    found = []
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        with contextlib.suppress(OSError):
            if any(_points_to(one) in sockets for one in (process / "fd").iterdir()):
                found.append(int(process.name))
    return found


def _file(port: int) -> Path:
    return root() / ".ports" / str(port)


def _owner(port: int) -> str:
    try:
        return _file(port).read_text()
    except OSError:
        return ""


def _take(port: int, owner: str) -> bool:
    file = _file(port)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whose = _owner(port)
    if whose and whose != owner and not Path(whose).exists():
        file.unlink(missing_ok=True)  # its owner was removed by hand
    half = file.with_name(f".{port}.{uuid.uuid4().hex}")
    half.write_text(owner)
    try:
        os.link(half, file)  # whole or not at all
    except FileExistsError:
        return _owner(port) == owner
    finally:
        half.unlink()
    return True


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
