"""Whether a port can be had, who has it, and which one a server had the last time."""

from __future__ import annotations

import contextlib
import json
import random
import socket
from pathlib import Path

from zen_project.embedded.process import ServerFailed

LISTENING = "0A"
PORTS = range(20_000, 32_768)


def free_port() -> int:
    """Below the range from which Linux and macOS take ports for outgoing calls: one of those could be in between."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerFailed(f"no free port was found between {PORTS.start} and {PORTS.stop}")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
    holder = holder_of(port)
    return f"port {port} cannot be had ({reason}{f'; {holder} has it' if holder else ''}); free it, or use --port"


def same_port(data_dir: Path, name: str) -> int:
    """The port that `name` had the last time on this data folder; where that is taken, a new one from now on."""
    file = data_dir / "ports.json"
    kept: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError):
        found = dict(json.loads(file.read_text()))
        kept = {key: port for key, port in found.items() if isinstance(port, int) and 0 < port < 65536}
    if name not in kept or taken(kept[name]):
        kept[name] = free_port()
        file.write_text(json.dumps(kept))
    return kept[name]


def holder_of(port: int) -> str:
    """The process that listens there: on Linux, and among those that we may look into. Else ''."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        with contextlib.suppress(OSError):
            if any(_points_to(descriptor) in sockets for descriptor in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                return f"process {process.name}, {' '.join(words).strip()[:120]}"
    return ""


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
