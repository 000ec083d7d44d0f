"""What the switch listens on: the users' port, and the control socket of the driver."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import time
from functools import partial
from pathlib import Path

import h11

from .conversation import Conversation
from .limits import MOST_CONNECTIONS
from .state import State


async def _control(state: State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One question and its answer, a line of JSON each."""
    try:
        line = await asyncio.wait_for(reader.readline(), 5)
        answer = state.answer(json.loads(line))
    except (TimeoutError, ValueError, KeyError, TypeError, OSError) as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    with contextlib.suppress(OSError):
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
    writer.close()


async def _client(state: State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    state.connections += 1
    try:
        if state.connections <= MOST_CONNECTIONS:
            await Conversation(state, reader, writer).run()
        else:
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    except (TimeoutError, OSError, asyncio.IncompleteReadError, h11.ProtocolError):
        pass
    finally:
        state.connections -= 1
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()


async def serve(folder: Path) -> int:
    state = State(folder)
    try:
        server = await asyncio.start_server(
            partial(_client, state), "127.0.0.1", state.table.port, reuse_address=True, backlog=512
        )
    except OSError as error:
        (folder / "switch.error").write_text(f"port {state.table.port}: {error.strerror or error}")
        return 3
    socket = folder / "switch.sock"
    socket.unlink(missing_ok=True)
    here = os.open(folder, os.O_RDONLY)  # a socket's path has at most 107 bytes, a folder's has more
    control = await asyncio.start_unix_server(partial(_control, state), f"/proc/self/fd/{here}/switch.sock")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, state.ending.set)
    await state.ending.wait()
    server.close()
    control.close()
    until = time.monotonic() + 10
    while sum(state.open_by_port.values()) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    return 0


def main(folder: Path) -> int:
    lock = os.open(folder / "switch.lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(40):  # whoever asks whether a switch runs holds the lock for a moment
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.05)
    else:
        return 4
    (folder / "switch.pid").write_text(str(os.getpid()))
    (folder / "switch.error").unlink(missing_ok=True)
    return asyncio.run(serve(folder))
