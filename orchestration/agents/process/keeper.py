"""A program of its own: starts a command, and ends all that came of it when the command ends or the worker is gone.

    python -I -S keeper.py LIFELINE CHANNEL MEMORY PROCESSES NICE COMMAND [ARGUMENT …]

LIFELINE is the reading end of a pipe whose other end the worker alone has open. Its end of file, which also a worker
that dies by kill -9 causes, means: end everything. On Linux processes that left the command's group, also daemons,
become children of the keeper and are ended too; elsewhere the group alone. Exits as the command did, with 128 + N for
a signal N; 127 when it cannot be started. It imports the standard library only, and nothing of ours.

CHANNEL: a socket that the command gets as descriptor 3; -1 for none.
MEMORY: bytes, and PROCESSES: how many processes and threads, all of them together may have; 0 for no bound. What they
have is looked at twice a second: past it everything is ended, and stderr says why. NICE: how far behind the
worker they stand in line for the processors.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 1.0
BOUND_SECONDS = 0.5
"""Between two looks at what a bounded command has."""
MOST_ROUNDS = 200
NOT_STARTED = 127
MOST_DESCRIPTORS = 4096
"""The command gets none but its three, and its channel; those of Python are not inherited anyway."""


def main() -> int:
    """Keep the command; return the code to exit with."""
    lifeline, channel, memory, processes, niceness = (int(word) for word in sys.argv[1:6])
    command, parent, said = sys.argv[6:], os.getppid(), os.dup(2)
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
        _become(command, niceness, channel)
    if channel >= 0:
        os.close(channel)
    _let_go_of_its_pipes()
    look_seconds = BOUND_SECONDS if memory or processes else LOOK_SECONDS
    code, below = None, _Below()
    while code is None and not asked and os.getppid() == parent:
        ready, _, _ = select.select([lifeline, bell], [], [], look_seconds)
        if bell in ready:
            os.read(bell, 4096)
        if lifeline in ready:
            break
        code = _reaped(child)
        if code is None and (why := _out_of_bounds(below, memory, processes)):
            os.write(said, f"{why}\n".encode())
            break
    return _end_all(child, code)


def _out_of_bounds(below: _Below, memory: int, processes: int) -> str:
    """Why what the command has is too much; '' when it is not."""
    if not memory and not processes:
        return ""
    held = [_held(pid) for pid in below.now()]
    threads, used = sum(one for one, _ in held), sum(one for _, one in held)
    if memory and used > memory:
        return f"ended, as its processes had {used >> 20} MB of memory, more than {memory >> 20} MB"
    if processes and threads > processes:
        return f"ended, as it had {threads} processes and threads, more than {processes}"
    return ""


class _Below:
    """The processes below this one, asked for again and again: only of those that are new their parents are read."""

    def __init__(self) -> None:
        self._ours: dict[int, bool] = {}

    def now(self) -> list[int]:
        """Ids of all; [] where the system does not show processes."""
        shown = {int(name) for name in _listed() if name.isdecimal()}
        self._ours = {pid: ours for pid, ours in self._ours.items() if pid in shown}
        parents = {pid: _parent(pid) for pid in shown - self._ours.keys()}
        for pid in parents:
            self._ours[pid] = self._is_below(pid, parents)
        return [pid for pid, ours in self._ours.items() if ours]

    def _is_below(self, pid: int, parents: dict[int, int]) -> bool:
        above, seen = parents[pid], {pid}
        while above in parents and above not in seen and above != os.getpid():
            seen.add(above)
            above = parents[above]
        return above == os.getpid() or self._ours.get(above, False)


def _listed() -> list[str]:
    try:
        return [folder.name for folder in Path("/proc").iterdir()]
    except OSError:
        return []


def _parent(pid: int) -> int:
    """0 for one that is gone."""
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _held(pid: int) -> tuple[int, int]:
    """Threads of a process and bytes of memory that are its own: files that it maps belong to all."""
    threads = memory = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (Path("/proc") / str(pid) / "status").read_text().splitlines():
            if line.startswith("Threads:"):
                threads = int(line.split()[1])
            elif line.startswith(("RssAnon:", "VmSwap:")):
                memory += int(line.split()[1]) * 1024
    return threads, memory


def _become(command: list[str], niceness: int, channel: int) -> None:
    """Never returns: this process is the command from here, or has failed."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        if channel >= 0:
            os.dup2(channel, 3)
        os.closerange(3 if channel < 0 else 4, MOST_DESCRIPTORS)
        os.setpgid(0, 0)
        os.nice(niceness)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
    for name in _listed():
        if name.isdecimal():
            below.setdefault(_parent(int(name)), []).append(int(name))
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
