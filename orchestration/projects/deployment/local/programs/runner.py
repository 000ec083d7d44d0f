"""Keeps one process of a release: its group, its log within bounds, and how it ended.

    python -I -S runner.py FOLDER

FOLDER/process.json says `argv`, `cwd`, `env`, `log_bytes` and `grace`. It holds a lock on FOLDER/runner.lock as long as
it runs, by which others know that the process does. SIGTERM ends the group, by force after `grace` seconds. Whatever
ends it, the group ends with it; FOLDER/ended.json says how. FOLDER/log is rotated once, to log.1.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1


def die_with_runner() -> None:
    """Linux: should the runner be killed, the kernel ends the program. The runner has one thread, so this is safe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Log:
    """The last bytes of what was printed, in two files."""

    def __init__(self, path: Path, most: int) -> None:
        self.path, self.most = path, most
        self.file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        if self.file.tell() + len(data) > self.most:
            self.file.close()
            self.path.replace(self.path.with_name("log.1"))
            self.file = self.path.open("ab", buffering=0)
        self.file.write(data[-self.most :])


def main(folder: Path) -> int:
    lock = os.open(folder / "runner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(40):  # whoever asks whether it runs holds the lock for a moment
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        time.sleep(0.05)
    else:
        return 4
    told = json.loads((folder / "process.json").read_text())
    (folder / "ended.json").unlink(missing_ok=True)
    (folder / "runner.pid").write_text(str(os.getpid()))
    asked, asks = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(asks, b"x"))
    log = Log(folder / "log", int(told["log_bytes"]))
    try:
        program = subprocess.Popen(
            told["argv"], cwd=told["cwd"], env=told["env"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=die_with_runner, process_group=0,
        )  # fmt: skip
    except OSError as error:
        log.write(f"cannot be started: {error}\n".encode())
        return ended(folder, 127)
    keep(program, log, asked, float(told["grace"]))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    return ended(folder, program.wait())


def keep(program: "subprocess.Popen[bytes]", log: Log, asked: int, grace: float) -> None:
    """Read what it prints until it has ended, and end it when that is asked."""
    assert program.stdout is not None  # noqa: S101
    out, until = program.stdout.fileno(), 0.0
    sources = [out, asked]
    while program.poll() is None:
        readable, _, _ = select.select(sources, [], [], 0.2)
        if asked in readable:
            os.read(asked, 100)
            if not until:
                until = time.monotonic() + grace
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(program.pid, signal.SIGTERM)
        if out in readable:
            data = os.read(out, 65536)
            log.write(data)
            if not data:
                sources.remove(out)
        if until and time.monotonic() > until:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
    while out in sources and select.select([out], [], [], 0)[0]:
        data = os.read(out, 65536)
        if not data:
            break
        log.write(data)


def ended(folder: Path, code: int) -> int:
    half = folder / "ended.half"
    half.write_text(json.dumps({"code": code}))
    half.replace(folder / "ended.json")
    return code if 0 <= code < 256 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
