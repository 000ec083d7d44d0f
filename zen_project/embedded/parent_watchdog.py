"""Runs one program as its child and ends it when the owner is gone, however the owner died.

    python parent_watchdog.py OWNER_PID STOP_SIGNAL GRACE_SECONDS ORPHAN_GRACE_SECONDS argv…

A process of its own, and not a thread, because kill -9 takes all threads. The owner holds the other end of stdin; when
that closes, the program gets STOP_SIGNAL, and SIGKILL after the grace: the shorter one when the owner was killed, since
a new owner may be waiting for it. A byte on stdin is the number of a signal to pass on. What the program started and
left behind ends with it. Standard library only, run with -I -S: it starts in hundredths of a second.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.5


def die_with_watchdog() -> None:
    """Linux: should the watchdog itself be killed, the kernel ends the program. It has one thread, so this is safe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def heed(owner: int, program: subprocess.Popen[bytes]) -> bool:
    """One look at the owner: hands on the signal it sends, and says whether it is still there."""
    readable, _, _ = select.select([0], [], [], POLL_SECONDS)
    if readable:
        word = os.read(0, 1)
        if not word:
            return False
        program.send_signal(word[0])
    return os.getppid() == owner


def end(program: subprocess.Popen[bytes], stop_signal: int, grace: float) -> None:
    program.send_signal(stop_signal)
    try:
        program.wait(grace)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def main(owner: int, stop_signal: int, grace: float, orphan_grace: float, argv: list[str]) -> int:
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, lambda *_: None)
    program = subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=die_with_watchdog, process_group=0)
    while program.poll() is None:
        if not heed(owner, program):
            end(program, stop_signal, grace if os.getppid() == owner else orphan_grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses a group that has just ended
        os.killpg(program.pid, signal.SIGKILL)
    code = program.returncode
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), sys.argv[5:]))
