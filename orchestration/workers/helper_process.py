"""A helper process of a worker: a module that is run with `-m` and reads lines of JSON on its standard input."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import IO


def line(message: dict[str, object]) -> bytes:
    """A message as a line of JSON."""
    return json.dumps(message).encode() + b"\n"


class HelperProcess:
    """Started when it is first needed and again when it dies. All methods under one lock of the caller's."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def start(self, lines: Iterable[bytes]) -> None:
        """Start it anew with these first lines; the first may be as long as a pipe holds. Raises OSError."""
        self.stop()
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        first, *rest = lines
        self._pipe.write(first)  # it fits into an empty pipe
        self._pipe.flush()
        os.set_blocking(self._pipe.fileno(), False)
        for one in rest:
            self.say(one)

    def say(self, line: bytes) -> None:
        """Send it a line. Raises OSError, also when it does not read."""
        written = os.write(self._pipe.fileno(), line)  # lines are shorter than PIPE_BUF, so whole or not at all
        if written != len(line):
            raise BrokenPipeError(f"{self.module} does not read")

    def stop(self) -> None:
        """Kill it, if it runs."""
        if self.process is None:
            return
        with contextlib.suppress(OSError):
            self._pipe.close()
        self.process.kill()
        self.process.wait()
        self.process = None

    @property
    def _pipe(self) -> IO[bytes]:
        if self.process is None or self.process.stdin is None:
            raise BrokenPipeError(f"{self.module} does not run")
        return self.process.stdin
