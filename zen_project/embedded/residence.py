"""Who lives in a data folder: one `manage.py up` at a time, and what it offers to commands in other terminals.

The lock belongs to the process, so a killed one leaves nothing behind that could be mistaken for a living one; the
guardians of what it started hold it too, so that nobody moves in before the last of them has ended.
"""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


class Occupied(Exception):
    """Another process already hosts Zen on this data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    pid: int = 0
    temporal_address: str = ""
    broker_url: str = ""
    site: str = ""


NOBODY = Neighbour()


class Residence:
    """`with Residence(data_dir) as home: home.publish(Neighbour(...))`

    `patience`: seconds to wait while the one who lived here is dead, and what it started is still ending.
    """

    def __init__(self, data_dir: Path, *, patience: float = 0) -> None:
        self.path = data_dir / "embedded.json"
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + patience
        while not _locked(self.descriptor):
            pid = _recorded(data_dir).pid
            if _lives(pid) or time.monotonic() > deadline:
                os.close(self.descriptor)
                raise Occupied(f"{data_dir} is in use by process {pid or 'unknown'}")
            time.sleep(0.1)
        self.publish(Neighbour(pid=os.getpid()))

    def publish(self, neighbour: Neighbour) -> None:
        content = json.dumps(asdict(neighbour)).encode()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, content, 0)

    def leave(self) -> None:
        os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def read(data_dir: Path) -> Neighbour:
    """What the one who lives here offers. What a killed one had started is of no use any more: it is ending."""
    found = _recorded(data_dir)
    return found if _lives(found.pid) else NOBODY


def _recorded(data_dir: Path) -> Neighbour:
    try:
        with (data_dir / "embedded.json").open() as file:
            if _unlocked(file.fileno()):
                return NOBODY
            return Neighbour(**json.load(file))
    except (OSError, ValueError, TypeError):
        return NOBODY


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    """0 is nobody's number: whoever has just moved in has not written his yet."""
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unlocked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
