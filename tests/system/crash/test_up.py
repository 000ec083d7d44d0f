"""`manage.py up` keeps what it started running, and nothing that it started outlives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers.fixtures import need
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.crash.workers import ROOT
from zen_project.embedded import temporal, valkey
from zen_project.embedded.ports import free_port

pytestmark = [pytest.mark.crash]
SAGA = "saga_id: nap\nsteps: [{step_id: nap, forward_action: {type: wait, seconds: 0.1}}]\n"
PARTS = {
    "site": "uvicorn",
    "celery worker": "-m celery",
    "temporal worker": "temporal_worker",
    "Temporal server": "start-dev",
    "Valkey server": "-server 127.0.0.1:",  # what it calls itself
}


class Up:
    def __init__(self, folder: Path, port: int, *more: str) -> None:
        self.site, self.log = f"http://127.0.0.1:{port}", folder / "up.log"
        foreign = ("DATABASE_URL", "CELERY_", "TEMPORAL_")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        self.env |= {"ZEN_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "zen_project.settings"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(port), *more],
                cwd=ROOT, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, done: Callable[[], object]) -> None:
        wait_until(lambda: self.process.poll() is not None or done(), self.said, pause=0.1)
        assert self.process.poll() is None, self.said()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.site}/livez", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def programs(self) -> dict[str, int]:
        """The pids of what it runs now, under their watchdogs."""
        everything = processes()
        watchdogs = {pid for pid, (parent, words) in everything.items() if "parent_watchdog.py" in words
                     if parent == self.process.pid}  # fmt: skip
        below = {pid: words for pid, (parent, words) in everything.items() if parent in watchdogs}
        return {part: pid for part, sign in PARTS.items() for pid, words in below.items() if sign in words}

    def runs_a_saga(self, engine: str) -> str:
        path = self.log.with_name("nap.yaml")
        path.write_text(SAGA)
        command = [sys.executable, "manage.py", "saga", "start", str(path), "--engine", engine, "--wait"]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + self.said()
        return done.stderr


def processes() -> dict[int, tuple[int, str]]:
    listed = subprocess.run(["ps", "-axwwo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 2) for line in listed.splitlines())
    return {int(pid): (int(parent), words) for pid, parent, words in rows if "<defunct>" not in words}


def alive(pids: set[int]) -> set[int]:
    return pids & processes().keys()


@contextmanager
def up(folder: Path, port: int, *more: str) -> Iterator[Up]:
    started = Up(folder, port, *more)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            started.process.wait(PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def _servers() -> None:
    need(temporal.available)
    need(valkey.available)


def test_whatever_dies_by_itself_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    with up(tmp_path, free_port()) as one:
        one.until(lambda: one.programs().keys() == PARTS.keys() and one.answers())
        before = one.programs()
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        one.until(lambda: one.programs().keys() == PARTS.keys() and not alive(set(before.values())) and one.answers())
        for part in PARTS:
            assert f"the {part} ended by itself (killed by SIGKILL)" in one.said()
        for engine in ("temporal", "celery"):
            assert "hosts one" not in one.runs_a_saga(engine)
        after = set(one.programs().values())
        one.process.terminate()
        assert one.process.wait(PATIENCE_SECONDS) == 0, one.said()
        assert not alive(after)


def test_a_killed_one_leaves_nothing_behind_and_the_next_works_at_once(tmp_path: Path) -> None:
    port = free_port()
    with up(tmp_path, port) as first:
        first.until(lambda: first.programs().keys() == PARTS.keys() and first.answers())
        theirs = set(first.programs().values()) | {
            pid for pid, (parent, _) in processes().items() if parent in first.programs().values()
        }
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(PATIENCE_SECONDS)
        with up(tmp_path, port) as second:
            second.until(lambda: second.programs().keys() == PARTS.keys() and second.answers())
            assert not alive(theirs)
            second.runs_a_saga("temporal")


def test_a_port_that_another_process_has_is_named_with_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with up(tmp_path, port, "--engine", "celery") as one:
            assert one.process.wait(PATIENCE_SECONDS) == 3
            assert f"the site is not started: port {port} cannot be had" in one.said()
            assert sys.platform != "linux" or f"process {os.getpid()}, " in one.said()
