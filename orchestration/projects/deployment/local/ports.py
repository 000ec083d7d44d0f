"""Leases of this machine's ports among its deployments."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from foundation.machine.tcp_ports import PORTS, free_ports
from orchestration.projects.deployment.local.folder import root

TRIES = 400


class NoPort(Exception):
    """A port cannot be had; the message says who has it."""


def lease(owner: str) -> int:
    """A free port that no other deployment gets until `give_back` gives it back. Raises NoPort when none is free."""
    for port in free_ports(TRIES):
        if _take(port, owner):
            return port
    raise NoPort(f"none of {TRIES} ports between {PORTS.start} and {PORTS.stop} is free")


def lease_this(port: int, owner: str) -> None:
    """Lease a port that was asked for. Raises NoPort when another deployment has it; it may still be taken."""
    if not _take(port, owner):
        raise NoPort(f"port {port} belongs to the deployment {owner_of(port)}")


def owner_of(port: int) -> str:
    """The name of the deployment that has leased this port; '' for none."""
    whose = _owner(port)
    return Path(whose).name if whose and Path(whose).exists() else ""


def give_back(port: int, owner: str) -> None:
    """Give a lease back; one of somebody else's is left alone."""
    if _owner(port) == owner:
        _file(port).unlink(missing_ok=True)


def leases(owner: str = "") -> dict[int, str]:
    """The leased ports and whose they are; `owner`: only those that begin with it."""
    found = {int(path.name): _owner(int(path.name)) for path in (root() / ".ports").glob("[0-9]*")}
    return {port: whose for port, whose in found.items() if whose.startswith(owner)}


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
