"""The switch of a deployment, as its driver sees it: start it, tell it the routing, ask what it counted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from foundation.machine import tcp_ports
from orchestration.projects.deployment.local.folder import Folder, Record, replace_file
from orchestration.projects.deployment.local.processes import BEGIN_SECONDS, LOOK_SECONDS, PROGRAMS, is_held, spawn

ANSWER_SECONDS = 5.0
MOST_ANSWER = 1024 * 1024


class SwitchFault(Exception):
    """The switch cannot be started, or does not do what it was told; the message says why."""


def is_running(folder: Folder) -> bool:
    """Whether the deployment's switch runs."""
    return is_held(folder.path / "switch.lock")


def ensure(folder: Folder, record: Record) -> dict[str, Any]:
    """A switch that runs with the record's routing, started when there is none; what it says about itself.

    To be called under the record's lock. Raises SwitchFault, with who has the port where that is the reason.
    """
    write_table(folder, record)
    if not is_running(folder):
        if why := tcp_ports.taken(record.port):
            raise SwitchFault(f"{why}; free it, or give another port in config.deployment")
        _start(folder, record)
    told = ask(folder, "reload")
    if told["generation"] != record.generation:
        raise SwitchFault(f"the switch has generation {told['generation']} and not {record.generation}")
    return told


def write_table(folder: Folder, record: Record) -> None:
    """What the switch reads: in one piece, so that it has the old routing or the new one."""
    backends = [one.to_json() for one in record.backends()]
    table = {"generation": record.generation, "port": record.port, "backends": backends}
    replace_file(folder.path / "switch.json", json.dumps(table))


def _start(folder: Folder, record: Record) -> None:
    (folder.path / "switch.pid").unlink(missing_ok=True)
    process = spawn([sys.executable, "-I", str(PROGRAMS / "switch.py"), str(folder.path)])
    until = time.monotonic() + BEGIN_SECONDS
    while True:
        with contextlib.suppress(SwitchFault):
            ask(folder, "status")
            return
        if process.poll() is not None and not is_running(folder):
            why = ""
            with contextlib.suppress(OSError):
                why = (folder.path / "switch.error").read_text()
            raise SwitchFault(f"the switch ended with {process.returncode}: {why or tcp_ports.taken(record.port)}")
        if time.monotonic() > until:
            raise SwitchFault(f"the switch did not begin within {BEGIN_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)


def ask(folder: Folder, do: str) -> dict[str, Any]:
    """Tell the switch something (`reload`, `status`) and return its answer. Raises SwitchFault."""
    here = os.open(folder.path, os.O_RDONLY)  # a socket's path has at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_SECONDS)
            line.connect(f"/proc/self/fd/{here}/switch.sock")
            line.sendall(json.dumps({"do": do}).encode() + b"\n")
            with line.makefile("rb") as file:
                answer: dict[str, Any] = json.loads(file.readline(MOST_ANSWER))
    except (OSError, ValueError) as error:
        raise SwitchFault(f"the switch does not answer: {type(error).__name__}: {error}") from None
    finally:
        os.close(here)
    if "error" in answer:
        raise SwitchFault(f"the switch refuses: {answer['error']}")
    return answer


def stop(folder: Folder) -> None:
    """End the switch; its port takes no requests from then on."""
    if not is_running(folder):
        return
    for number, seconds in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder.path / "switch.pid").read_text()), number)
        until = time.monotonic() + seconds
        while is_running(folder) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
