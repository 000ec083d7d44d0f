"""Processes that outlive their worker: started once, found again by a lock and a mark, ended with all they started."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from orchestration.agents.process.private import logins, of_agents, of_the_site
from orchestration.agents.process.sandbox import RESOLVER, RUNTIME
from orchestration.projects.deployment.local import programs
from orchestration.projects.deployment.local.folder import replace_file

PROGRAMS = Path(str(programs.__file__)).parent
MARK = "ZEN_DEPLOYMENT"
LOG_BYTES = 1024 * 1024
GRACE_SECONDS = 10.0
LOOK_SECONDS = 0.05
BEGIN_SECONDS = 20.0
MOST_ROUNDS = 100


class NotStarted(Exception):
    """A process could not be started; the message says why."""


def is_held(lock: Path) -> bool:
    """Whether a process holds this lock, so lives."""
    try:
        file = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def is_running(folder: Path) -> bool:
    """Whether the process of this replica's folder runs."""
    return is_held(folder / "runner.lock")


def start(folder: Path, command: Sequence[str], *, files: Path, port: int) -> None:
    """Start the process of a replica, unless it runs; what an earlier one left behind is ended first.

    `command`: words with {port}. Raises NotStarted.
    """
    if is_running(folder):
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    end_marked(str(folder))
    for old in ("ended.json", "runner.pid"):
        (folder / old).unlink(missing_ok=True)
    own = str(PROGRAMS / "static_server.py")
    argv = [word.replace("{port}", str(port)) for word in command]
    argv = [*sandbox(files), *argv] if argv else [sys.executable, "-I", "-S", own, str(files), str(port)]
    told = {
        "argv": argv,
        "cwd": str(files),
        "env": environment(folder, files, port),
        "log_bytes": LOG_BYTES,
        "grace": GRACE_SECONDS,
    }
    replace_file(folder / "process.json", json.dumps(told))
    process = spawn([sys.executable, "-I", "-S", str(PROGRAMS / "runner.py"), str(folder)])
    _await(process, folder / "runner.lock", "the runner")


def environment(folder: Path, files: Path, port: int) -> dict[str, str]:
    """What a release sees of this machine: nothing of the worker's own environment."""
    path = f"/usr/local/bin:/usr/bin:/bin:{Path(sys.executable).parent}"
    return {"PATH": path, "LANG": "C.UTF-8", "HOME": str(files), "PORT": str(port), MARK: str(folder)}


def sandbox(files: Path) -> list[str]:
    """bwrap and its options: everything readable but Zen's own data, the worker's logins and the sockets of services;
    the release's files writable, the network shared.

    Whatever ZEN_SCRIPTS says; none where there is no bwrap, which takes ZEN_SCRIPTS=unsafe. Raises NotStarted.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None and settings.ZEN_SCRIPTS == "unsafe":
        return []
    if bwrap is None:
        raise NotStarted(
            "a release's command runs in bubblewrap, and bwrap is not on the PATH of the worker; install it, or do "
            "without by ZEN_SCRIPTS=unsafe"
        )
    return [
        bwrap, "--unshare-all", "--share-net", "--die-with-parent", "--new-session", "--ro-bind", "/", "/",
        "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", *_hidden(),  # noqa: S108
        "--bind", str(files), str(files), "--cap-drop", "ALL", "--chdir", str(files), "--",
    ]  # fmt: skip


def _hidden() -> Iterator[str]:
    """What a release may not read, in bwrap's words."""
    if RUNTIME.is_dir() and not RUNTIME.is_symlink():
        yield from ("--tmpfs", str(RUNTIME))
        for name in RESOLVER:
            yield from ("--ro-bind-try", name, name)
    for place in (*of_the_site(), *logins(), *of_agents()):
        yield from ("--tmpfs", str(place)) if place.is_dir() else ("--ro-bind", "/dev/null", str(place))


def spawn(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a program that is no part of this process's group, and reap it whenever it ends."""
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        cwd="/", env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
    )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True, name="reaper").start()
    return process


def _await(process: subprocess.Popen[bytes], lock: Path, what: str) -> None:
    """Until it holds its lock, or has ended in passing."""
    until = time.monotonic() + BEGIN_SECONDS
    while not is_held(lock) and process.poll() is None:
        if time.monotonic() > until:
            process.kill()
            raise NotStarted(f"{what} did not begin within {BEGIN_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)


def ended_with(folder: Path) -> int | None:
    """The exit code of a replica that has ended; None while it runs, and when it was killed with its runner."""
    try:
        code: int = json.loads((folder / "ended.json").read_text())["code"]
    except (OSError, ValueError, KeyError):
        return None
    return code


def tail(folder: Path, most: int = 1000) -> str:
    """The end of what a replica printed."""
    try:
        with (folder / "log").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - most))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def stop(folder: Path, *, grace: float = GRACE_SECONDS) -> None:
    """End the process of a replica and all that it started: asked first, by force after `grace` seconds."""
    if is_running(folder):
        _ask_to_end(folder)
        _wait_for_end(folder, grace)
    for number, seconds in ((signal.SIGTERM, grace + 2), (signal.SIGKILL, 1.0)):
        if is_running(folder):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((folder / "runner.pid").read_text()), number)
            _wait_for_end(folder, seconds)
    end_marked(str(folder))


def _ask_to_end(folder: Path) -> None:
    """SIGTERM for what the release started. Its sandbox would pass none on: it would end, and all in it with it."""
    for pid in marked(str(folder)):
        with contextlib.suppress(OSError):
            if (Path("/proc") / str(pid) / "comm").read_text().strip() != "bwrap":
                os.kill(pid, signal.SIGTERM)


def _wait_for_end(folder: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while is_running(folder) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def end_marked(mark: str) -> None:
    """Kill what carries this mark, until there is none. Raises NotStarted when something stays."""
    for _ in range(MOST_ROUNDS):
        strays = marked(mark)
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    raise NotStarted(f"processes that cannot be ended: {marked(mark)}")


def marked(mark: str) -> list[int]:
    """Live processes that a replica's folder (or those below a folder that ends in /) was given to."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "environ").read_bytes().split(b"\0")
            if wanted in words or (mark.endswith("/") and any(word.startswith(wanted) for word in words)):
                found.append(int(folder.name))
    return found
