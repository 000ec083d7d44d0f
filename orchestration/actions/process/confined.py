"""Run a program in bounds of time, memory, files and output, and leave none of its processes behind."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MEMORY_BYTES = 1024**3
FILE_BYTES = 256 * 1024**2
OPEN_FILES = 1024
PROCESSES = 256
MARK = "ZEN_SCRIPT"
FD = "\0fd"  # no word of a command holds a NUL
LOOK_SECONDS = 0.1
MOST_ROUNDS = 50

# A shell sets the limits, for what runs between fork and exec in a process with threads may deadlock. Data, not address
# space: some languages reserve far more addresses than they use. What the system refuses to set stays as it is.
LIMITS = 'for limit in {}; do ulimit ${{limit%%=*}} ${{limit#*=}} 2>/dev/null; done; exec "$@"'
HOST = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
"""The environment of what runs on the host. No value of a caller's is in it: a loader and a shell obey theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """`ended_by`: '' when the program ended by itself, else why it was killed."""

    code: int
    out: Reader
    err: Reader
    ended_by: str


Hear = Callable[[bytes], None]


def _deaf(piece: bytes) -> None:
    pass


def run(
    command: Sequence[str],
    *,
    folder: Path,
    inherit: Callable[[str], int],
    seconds: float,
    unwanted: Callable[[], bool],
    most_out: int,
    most_err: int,
    hear: tuple[Hear, Hear] = (_deaf, _deaf),
) -> Finished:
    """The command under its limits, with the fixed environment HOST.

    `inherit`: given the mark by which the processes are known, an open file for the command, which is closed here; its
    number is what `FD` stands for in the command. `unwanted` is asked again and again whether to give up.
    `hear`: who is given what comes on stdout and stderr as it comes, and b'' at the end, in a thread of its own.
    Raises OSError when it cannot be started.
    """
    mark = uuid.uuid4().hex
    file = inherit(mark)
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _limits(seconds), "sh", *(str(file) if word == FD else word for word in command)],
            cwd=folder,
            env={**HOST, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(file,),
        )
    finally:
        os.close(file)
    out, err = Reader(process.stdout, most_out, hear[0]), Reader(process.stderr, most_err, hear[1])
    try:
        ended_by = _await(process, seconds, unwanted)
    finally:
        _kill_all(process, mark)
    out.join(2)
    err.join(2)
    return Finished(code=process.returncode, out=out, err=err, ended_by=ended_by)


def _limits(seconds: float) -> str:
    """CPU time ends what got away from us otherwise: no process has more of it than the attempt has time."""
    limits = {
        "-c": 0,
        "-d": MEMORY_BYTES // 1024,
        "-f": FILE_BYTES // 512,
        "-n": OPEN_FILES,
        "-t": math.ceil(seconds) + 1,
    }
    if os.geteuid() != 0:  # for root the system does not count
        limits |= {"-u": PROCESSES, "-p": PROCESSES}
    return LIMITS.format(" ".join(f"{flag}={value}" for flag, value in limits.items()))


def _await(process: subprocess.Popen[bytes], seconds: float, unwanted: Callable[[], bool]) -> str:
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if unwanted():
            return "was cancelled"
        if time.monotonic() > deadline:
            return f"timed out after {seconds:g} s"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
    return ""


def _kill_all(process: subprocess.Popen[bytes], mark: str) -> None:
    """The process group, and those that left it: they are known by what they inherited."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for _ in range(MOST_ROUNDS):
        strays = _marked(f"{MARK}={mark}".encode())
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _marked(mark: bytes) -> list[int]:
    """Processes with this in their environment; none where the system does not show it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


class Reader(threading.Thread):
    """Reads a pipe to its end and keeps its head, up to `limit` bytes."""

    def __init__(self, pipe: IO[bytes] | None, limit: int, hear: Hear) -> None:
        super().__init__(daemon=True)
        self.hear = hear
        self.pipe, self.limit, self.kept, self.overran = pipe, limit, bytearray(), False
        self.start()

    def run(self) -> None:
        if self.pipe is None:
            return
        with self.pipe:
            while chunk := self.pipe.read1(65536):  # type: ignore[attr-defined]
                self.overran = self.overran or len(self.kept) + len(chunk) > self.limit
                self.kept += chunk[: max(0, self.limit - len(self.kept))]
                self.hear(chunk)
        self.hear(b"")
