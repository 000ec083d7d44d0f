"""Runs one server as its child and ends it when the owner is gone, however the owner died.

    python guardian.py OWNER_PID STOP_SIGNAL GRACE_SECONDS argv…

A process of its own, and not a thread, because kill -9 takes all threads. The owner holds the other end of stdin; when
that closes, or the owner's id is no longer the parent's, the server gets STOP_SIGNAL, and SIGKILL after the grace. A
byte on stdin is the number of a signal to hand on. Standard library only, run with -I -S: it starts in hundredths of a
second.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.5


def die_with_guardian() -> None:
    """Linux: should the guardian itself be killed, the kernel ends the server. It has one thread, so this is safe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def heed(owner: int, server: subprocess.Popen[bytes]) -> bool:
    """One look at the owner: hands on the signal it sends, and says whether it is still there."""
    readable, _, _ = select.select([0], [], [], POLL_SECONDS)
    if readable:
        word = os.read(0, 1)
        if not word:
            return False
        server.send_signal(word[0])
    return os.getppid() == owner


def end(server: subprocess.Popen[bytes], stop_signal: int, grace: float) -> None:
    server.send_signal(stop_signal)
    try:
        server.wait(grace)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main(owner: int, stop_signal: int, grace: float, argv: list[str]) -> int:
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, lambda *_: None)
    server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=die_with_guardian)
    while server.poll() is None:
        if not heed(owner, server):
            end(server, stop_signal, grace)
    return server.returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
