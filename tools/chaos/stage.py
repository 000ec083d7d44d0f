"""The real servers and workers, and the faults done to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tools.chaos.plan import SERVERS, WORKERS, Fault, engine_of, links_of
from tools.chaos.proxy import Link, listening
from zen_project.embedded import postgres, temporal, valkey
from zen_project.embedded.process import OwnedServer, ServerFailed, free_port

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
        """Of the program and all that it started, and not of its guardian."""
        return descendants(self.owned.guardian_pid)


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


class Stage:
    """`workers`, `servers`, and `links`: (worker, server) → the proxy between them."""

    def __init__(self, folder: Path, seed: int, stack: ExitStack) -> None:
        self.folder, port = folder, {name: free_port() for name in SERVERS}
        starts: dict[str, Callable[[], OwnedServer]] = {
            "postgres": lambda: postgres.postgres(folder, port=port["postgres"]),
            "valkey": lambda: valkey.valkey(folder, port=port["valkey"], password="chaos"),
            "temporal": lambda: temporal.temporal_dev_server(folder, port=port["temporal"]),
        }
        self.servers: dict[str, Server] = {}
        self.workers: dict[str, Worker] = {}
        stack.callback(self._end)
        for name in SERVERS:
            self.servers[name] = Server(name, starts[name])
        self.links = {
            (worker, server): Link(self.servers[server].port, Random(f"{seed} {worker} {server}"))
            for worker in WORKERS
            for server in links_of(worker)
        }
        stack.enter_context(listening(*self.links.values()))

    def environment(self, worker: str, peer: str) -> dict[str, str]:
        """Of a worker: each of its servers is reached through a link of its own."""
        at = {server: f"127.0.0.1:{self.links[worker, server].port}" for server in links_of(worker)}
        user = urlsplit(self.servers["postgres"].address)
        return os.environ | {
            "DATABASE_URL": f"postgres://{user.username}@{at['postgres']}{user.path}",
            "CELERY_BROKER_URL": f"redis://:chaos@{at['valkey']}/0" if "valkey" in at else "memory://",
            "TEMPORAL_ADDRESS": at.get("temporal", ""),
            "ZEN_OUTBOUND_ALLOW": peer,
            "ZEN_LOG_LEVEL": "warning",
        }

    def start_workers(self, peer: str) -> None:
        for name in WORKERS:
            self.workers[name] = Worker(name, self.environment(name, peer), self.folder)

    def who(self, port: int) -> str:
        """The worker that has this port of the loopback open; '' when none has."""
        inode = _inode_of(port)
        for name, worker in tuple(self.workers.items()):
            if inode and _has_open(worker.process.pid, inode):
                return name
        return ""

    def do(self, fault: Fault) -> None:
        """The fault from its beginning to its end."""
        if fault.kind in ("cut", "commit"):
            self._break(fault)
            return
        hit = self.workers.get(fault.target) if fault.target in WORKERS else self.servers[fault.target]
        assert hit is not None
        if fault.kind == "stall":
            pids = hit.pids()
            _signal(pids, signal.SIGSTOP)
            time.sleep(fault.seconds)
            _signal(pids, signal.SIGCONT)
            return
        hit.kill() if fault.kind == "kill" else hit.stop()
        time.sleep(fault.seconds)
        hit.start()

    def _break(self, fault: Fault) -> None:
        hit = [
            link
            for (worker, server), link in self.links.items()
            if (worker, server) == (fault.target, fault.link) or (not fault.link and server == fault.target)
        ]
        for link in hit:
            if fault.kind == "cut":
                link.cut()
            else:
                link.lost_commits = 0.5
        time.sleep(fault.seconds)
        for link in hit:
            link.mend()
            link.lost_commits = 0.0

    def left_behind(self) -> int:
        return sum(len(worker.left_behind()) for worker in self.workers.values())

    def _end(self) -> None:
        for worker in self.workers.values():
            everything = [pid for pid, session in sessions() if session in worker.sessions]
            _signal(everything, signal.SIGCONT)
            _signal(everything, signal.SIGKILL)
            worker.process.wait()
        for server in self.servers.values():
            server.stop()


@contextmanager
def stage(folder: Path, seed: int) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(folder, seed, stack)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _stat(pid: str) -> list[str]:
    """The words of /proc/PID/stat after the name: state, parent, group, session, …; empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def sessions() -> list[tuple[int, int]]:
    """The living processes and the session of each."""
    found = ((path.name, _stat(path.name)) for path in Path("/proc").glob("[0-9]*"))
    return [(int(pid), int(words[3])) for pid, words in found if words and words[0] != "Z"]


def descendants(pid: int) -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        if words := _stat(path.name):
            parents[int(path.name)] = int(words[1])
    found, more = list[int](), [pid]
    while more:
        more = [child for child, parent in parents.items() if parent in more]
        found += more
    return found


def _inode_of(port: int) -> str:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[1].rpartition(":")[2], 16) == port and words[9] != "0":
            return words[9]
    return ""


def _has_open(pid: int, inode: str) -> bool:
    wanted = f"socket:[{inode}]"
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) == wanted:
                    return True
    return False
