"""Which port a server of `up` gets: a free one, or the one that it had the last time."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from foundation.machine import tcp_ports
from zen_project.embedded.process import ServerFailed

TRIES = 200


def free_port() -> int:
    """A port that nobody has at this moment."""
    for port in tcp_ports.free_ports(TRIES):
        return port
    raise ServerFailed(f"no free port was found between {tcp_ports.PORTS.start} and {tcp_ports.PORTS.stop}")


def taken(port: int) -> str:
    """Why `up` cannot have this port, and what to do; '' when it can."""
    why = tcp_ports.taken(port)
    return why and f"{why}; free it, or use --port (make up PORT=8001)"


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
