"""A program of its own: starts a command, and ends all that came of it when the command ends or the worker is gone.

    python -I -S keeper.py LIFELINE COMMAND [ARGUMENT …]

LIFELINE is the reading end of a pipe whose other end the worker alone has open. Its end of file, which also a worker
that dies by kill -9 causes, means: end everything. On Linux processes that left the command's group, also daemons,
become children of the keeper and are ended too; elsewhere the group alone. Exits as the command did, with 128 + N for
a signal N; 127 when it cannot be started. It imports the standard library only, and nothing of ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 1.0
MOST_ROUNDS = 200
NOT_STARTED = 127
MOST_DESCRIPTORS = 4096
"""The command gets none but its three; those of Python are not inherited anyway."""


def main() -> int:
    """Keep the command; return the code to exit with."""
    lifeline, command, parent = int(sys.argv[1]), sys.argv[2:], os.getppid()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    bell, ring = os.pipe()
    for end in (bell, ring):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: asked.append(got))
    child = os.fork()
    if child == 0:
        _become(command)
    _let_go_of_its_pipes()
    code: int | None = None
    while code is None and not asked and os.getppid() == parent:
        ready, _, _ = select.select([lifeline, bell], [], [], LOOK_SECONDS)
        if bell in ready:
            os.read(bell, 4096)
        if lifeline in ready:
            break
        code = _reaped(child)
    return _end_all(child, code)


def _become(command: list[str]) -> None:
    """Never returns: this process is the command from here, or has failed."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, MOST_DESCRIPTORS)
        os.setpgid(0, 0)
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.execvp(command[0], command)  # noqa: S606 - this is what it is for
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(NOT_STARTED)


def _let_go_of_its_pipes() -> None:
    """Whoever reads the command's output hears its end from the command alone."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _reaped(child: int) -> int | None:
    """Bury what ended. The child's code once it has ended, else None."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == child:
                ended = os.waitstatus_to_exitcode(status)
                code = ended if ended >= 0 else 128 - ended
    return code


def _end_all(child: int, code: int | None) -> int:
    """Kill the group and every descendant, until there is none."""
    for _ in range(MOST_ROUNDS):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        ended = _reaped(child)
        code = code if code is not None else ended
        if not _has_children():
            break
        time.sleep(0.01)
    return code if code is not None else 128 + signal.SIGKILL


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _descendants(root: int) -> list[int]:
    """Every process below this one, where the system shows them."""
    below: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            below.setdefault(int(after_name[1]), []).append(int(folder.name))
    found, new = [], [root]
    while new:
        new = [pid for parent in new for pid in below.get(parent, ())]
        found += new
    return found


def _prctl(option: int, value: int) -> None:
    """Linux's own; elsewhere nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
