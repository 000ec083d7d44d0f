"""A program that this process owns: started through the watchdog, waited for, stopped with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

WATCHDOG = Path(__file__).with_name("parent_watchdog.py")
STOP_MARGIN_SECONDS = 5
ORPHAN_GRACE_SECONDS = 5.0

_running: set["OwnedServer"] = set()


class ServerFailed(Exception):
    """A program did not come up; the message carries the end of its log."""


class OwnedServer:
    """`address` is what a client connects to. Use it as a context manager, or call stop().

    Without a log it writes where we do. `held`: descriptors that its watchdog keeps open until it has ended, such as
    the lock on a folder that it uses.
    """

    def __init__(
        self,
        *,
        name: str,
        argv: Sequence[str],
        address: str,
        log: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        held: Sequence[int] = (),
    ) -> None:
        self.name, self.log, self.address = name, log, address
        self._stop_within = grace + STOP_MARGIN_SECONDS
        numbers = (os.getpid(), int(stop_signal), grace, min(grace, ORPHAN_GRACE_SECONDS))
        watchdog = [sys.executable, "-I", "-S", str(WATCHDOG), *map(str, numbers)]
        with _output(log) as output:
            # A session of its own: Ctrl-C reaches the owner, which stops its workers first and the servers last.
            self._watchdog = subprocess.Popen(
                [*watchdog, *argv],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output and subprocess.STDOUT,
                start_new_session=True,
                env=environ,
                cwd=cwd,
                pass_fds=held,
            )
        _running.add(self)

    @property
    def alive(self) -> bool:
        return self._watchdog.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; as a shell has it, so 137 after kill -9."""
        return self._watchdog.poll()

    @property
    def watchdog_pid(self) -> int:
        return self._watchdog.pid

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 30) -> Self:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                self.stop()
                raise ServerFailed(f"{self.name} ended at once. {self._log_tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ServerFailed(f"{self.name} was not ready within {seconds:g} s. {self._log_tail()}")
            time.sleep(0.05)
        return self

    def ask_to_stop(self) -> None:
        """Do not wait: what is asked at once ends side by side."""
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()

    def stop(self) -> None:
        self.ask_to_stop()
        try:
            self._watchdog.wait(self._stop_within)
        except subprocess.TimeoutExpired:
            self._watchdog.kill()
            self._watchdog.wait()
        _running.discard(self)

    def send_signal(self, number: signal.Signals) -> None:
        """To the server, not to its watchdog."""
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write(bytes([number]))
        self._watchdog.stdin.flush()

    def kill(self) -> None:
        """As by kill -9. Start a new server on the same folder and port to see it come back."""
        self.send_signal(signal.SIGKILL)
        self.stop()

    def _log_tail(self) -> str:
        if self.log is None:
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-5:]
        return "\n".join([f"The end of {self.log}:", *lines])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def _output(log: Path | None) -> Iterator[IO[bytes] | None]:
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        yield output


def stop_all() -> None:
    for server in tuple(_running):
        server.stop()
