"""A program under its keeper: its lines as they come, what is said to it, its end."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from orchestration.agents.base import UNBOUND, Bounds
from orchestration.agents.process import keeper
from orchestration.agents.process.proxy import Proxy

KEEPER = str(Path(keeper.__file__).resolve())
LONGEST_LINE = 8 * 1024 * 1024
"""Bytes. A longer one is cut there and told as `cut`."""
LINES_AHEAD = 16
"""Lines read and not yet taken, at most 128 MB of them; a program that says more waits, as its pipe is full."""
ERRORS_KEPT = 16 * 1024
"""Bytes of the end of its stderr."""
END_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of stdout, without its end. The last thing that comes has `at_end` and no data."""

    data: bytes
    cut: bool = False
    at_end: bool = False


def _words(bounds: Bounds) -> tuple[str, str, str]:
    return str(bounds.memory_bytes), str(bounds.processes), str(bounds.nice)


def _kept(
    words: Sequence[str], lifeline: int, channel: tuple[int, ...], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """The keeper, started; its end of the lifeline is closed here, also if it could not be."""
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", KEEPER, *words],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(lifeline, *channel),
        )
    finally:
        os.close(lifeline)


class Program:
    """A started program. `end` has to be called, whatever happened; it may be called again."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        bounds: Bounds = UNBOUND,
        proxy: Proxy | None = None,
    ) -> None:
        """Start it. `bounds`: past these all of it is ended, and `errors` says why. `proxy`: of the hosts that it may
        reach; it begins and ends with the program, also with one that cannot be started.

        Raises OSError when the keeper cannot be started; a command that is not there ends with 127."""
        lifeline, self._life = os.pipe()
        channel = () if proxy is None else (proxy.theirs.fileno(),)
        words = [str(lifeline), *map(str, channel or (-1,)), *_words(bounds), *command]
        self._proxy = proxy
        with contextlib.ExitStack() as unless_started:
            unless_started.callback(os.close, self._life)
            if proxy is not None:
                unless_started.callback(proxy.end)
            self._process = _kept(words, lifeline, channel, cwd=cwd, env=env)
            if proxy is not None:
                proxy.begin()
            unless_started.pop_all()
        self._lines: queue.Queue[Line] = queue.Queue(LINES_AHEAD)
        self._said: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._errors = bytearray()
        self._over = threading.Event()
        self._threads = self._talking()

    def _talking(self) -> list[threading.Thread]:
        """One thread for each of its pipes, begun."""
        pipes = (
            (self._read, self._process.stdout),
            (self._read_errors, self._process.stderr),
            (self._write, self._process.stdin),
        )
        threads = [threading.Thread(target=work, args=(pipe,), daemon=True) for work, pipe in pipes]
        for thread in threads:
            thread.start()
        return threads

    @property
    def keeper_pid(self) -> int:
        """Of the process that keeps the program."""
        return self._process.pid

    def next_line(self, seconds: float) -> Line | None:
        """The next line of stdout; None when none came in time."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def say(self, data: bytes) -> None:
        """Write to its stdin, in the background: a program that does not read stops nobody."""
        self._said.put(data)

    def close_stdin(self) -> None:
        """It hears the end of its input after all that was said."""
        self._said.put(None)

    def errors(self) -> str:
        """The end of what it wrote on stderr so far."""
        return bytes(self._errors).decode(errors="replace").strip()

    def wait(self, seconds: float) -> int | None:
        """Its exit code, once its keeper is gone too; None when that took longer."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> int | None:
        """End every process that came of it; return the exit code if it had ended by itself."""
        by_itself = self._process.poll()
        self._over.set()
        if self._life >= 0:
            os.close(self._life)
            self._life = -1
        if self.wait(END_SECONDS) is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._proxy is not None:
            self._proxy.end()
        self._said.put(None)
        while True:  # a reader may wait for room
            with contextlib.suppress(queue.Empty):
                while True:
                    self._lines.get_nowait()
            if not any(thread.is_alive() for thread in self._threads):
                break
            self._threads[0].join(0.05)
            self._threads[1].join(0.05)
            self._threads[2].join(0.05)
        return by_itself

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while not self._over.is_set():
                line = pipe.readline(LONGEST_LINE)
                if not line:
                    break
                cut = not line.endswith(b"\n") and len(line) == LONGEST_LINE
                while cut and (rest := pipe.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                self._lines.put(Line(line.rstrip(b"\r\n"), cut))
        if not self._over.is_set():
            self._lines.put(Line(b"", at_end=True))

    def _read_errors(self, pipe: IO[bytes]) -> None:
        with pipe:
            while piece := pipe.read1(65536):  # type: ignore[attr-defined]
                self._errors += piece
                del self._errors[:-ERRORS_KEPT]

    def _write(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError), pipe:
            while (data := self._said.get()) is not None:
                pipe.write(data)
                pipe.flush()
