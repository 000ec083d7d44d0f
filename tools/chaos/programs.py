"""A server and a worker of the run: each can be killed, stopped and started again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tools.chaos.plan import engine_of
from tools.chaos.processes import descendants, sessions
from zen_project.embedded.process import OwnedServer, ServerFailed

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.05
COMMANDS = {
    "celery": ("-m", "celery", "-A", "zen_project", "worker", "-B", "-l", "warning", "-n", "{name}@chaos",
               "-s", "{folder}/{name}.beat"),
    "temporal": ("manage.py", "temporal_worker"),
}  # fmt: skip


class Server:
    """One that comes back on its own port and files."""

    def __init__(self, name: str, start: Callable[[], OwnedServer]) -> None:
        self.name, self._start = name, start
        self.owned = start()
        self.address = self.owned.address
        self.port = urlsplit(self.address if "//" in self.address else f"//{self.address}").port or 0

    def kill(self) -> None:
        self.owned.kill()

    def stop(self) -> None:
        self.owned.stop()

    def start(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.owned = self._start()
            except ServerFailed:  # what it was a moment ago may still be leaving
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)
            else:
                return

    def pids(self) -> list[int]:
        """Of the program and all that it started, and not of its watchdog."""
        return descendants(self.owned.watchdog_pid)


class Worker:
    """A worker process in a session of its own; started again after each fault that ends it."""

    def __init__(self, name: str, env: dict[str, str], folder: Path) -> None:
        self.name, self.env, self.folder = name, env, folder
        self.process = self._started()
        self.sessions = [self.process.pid]

    def _started(self) -> subprocess.Popen[bytes]:
        command = [word.format(name=self.name, folder=self.folder) for word in COMMANDS[engine_of(self.name)]]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def start(self) -> None:
        if self.process.poll() is None:
            return
        self.process = self._started()
        self.sessions.append(self.process.pid)

    def kill(self) -> None:
        """The worker itself, and not what it started: that has to end by itself."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def pids(self) -> list[int]:
        return [pid for pid, session in sessions() if session == self.process.pid]

    def left_behind(self) -> list[int]:
        """What workers that have ended had started, and still runs."""
        ended = set(self.sessions) - ({self.process.pid} if self.process.poll() is None else set())
        return [pid for pid, session in sessions() if session in ended]
