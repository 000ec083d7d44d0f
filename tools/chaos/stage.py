"""The real servers and workers, and the faults done to them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tools.chaos.plan import SERVERS, WORKERS, Fault, links_of
from tools.chaos.processes import has_open, inode_of, sessions, signal_all
from tools.chaos.programs import Server, Worker
from tools.chaos.proxy import Link, listening
from zen_project.embedded import postgres, temporal, valkey
from zen_project.embedded.ports import free_port
from zen_project.embedded.process import OwnedServer


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
            "ZEN_RECOVERY": "off",  # the load's own people answer what needs somebody
        }

    def start_workers(self, peer: str) -> None:
        for name in WORKERS:
            self.workers[name] = Worker(name, self.environment(name, peer), self.folder)

    def who(self, port: int) -> str:
        """The worker that has this port of the loopback open; '' when none has."""
        inode = inode_of(port)
        for name, worker in tuple(self.workers.items()):
            if inode and has_open(worker.process.pid, inode):
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
            signal_all(pids, signal.SIGSTOP)
            time.sleep(fault.seconds)
            signal_all(pids, signal.SIGCONT)
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
            signal_all(everything, signal.SIGCONT)
            signal_all(everything, signal.SIGKILL)
            worker.process.wait()
        for server in self.servers.values():
            server.stop()


@contextmanager
def stage(folder: Path, seed: int) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(folder, seed, stack)
