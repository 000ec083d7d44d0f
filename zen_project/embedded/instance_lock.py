"""One `manage.py up` at a time on a data folder, and what it offers to commands in other terminals.

Two locks say so, and no process number: numbers are used again, and mean nothing in another container. The lock on
`embedded.json` belongs to the host alone: it is gone with the host, however that died. The watchdogs of what the host
started hold `embedded.lock` with it, so that the next host begins only after the last of them has ended.
"""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

OFFERS, HOUSEHOLD = "embedded.json", "embedded.lock"
LOOK_SECONDS = 1.0
"""A process that reads what is offered here holds the lock for a moment: that is not a host."""


class Occupied(Exception):
    """Another process already hosts Zen on this data folder, or that cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningInstance:
    pid: int = 0
    temporal_address: str = ""
    broker_url: str = ""
    site: str = ""


NOBODY = RunningInstance()


class InstanceLock:
    """`with InstanceLock(data_dir) as home: home.publish(RunningInstance(...))`

    `patience`: seconds to wait, once the last host is gone, until what it started has ended. `descriptor`: the lock
    that a watchdog of what is started here has to hold.
    """

    def __init__(self, data_dir: Path, *, patience: float = 0) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own = _opened(data_dir / OFFERS)
        try:
            free = _locked(self._own, LOOK_SECONDS)
        except OSError as error:
            os.close(self._own)
            why = f"{data_dir} cannot be locked ({error.strerror})"
            raise Occupied(f"{why}; ZEN_DATA_DIR has to be on a disk that locks files (flock)") from None
        if not free:
            os.close(self._own)
            raise Occupied(f"{data_dir} is in use by process {_written(data_dir).pid or 'unknown'}")
        before = _written(data_dir).pid
        self.publish(RunningInstance(pid=os.getpid()))
        self.descriptor = _opened(data_dir / HOUSEHOLD)
        if not _locked(self.descriptor, patience):
            self.leave()
            raise Occupied(
                f"{data_dir} is in use: process {before or 'unknown'}, which ran here before, is gone, and after "
                f"{patience:g} s something that it started has not ended yet; wait for it, or end it, and start again"
            )

    def publish(self, neighbour: RunningInstance) -> None:
        content = json.dumps(asdict(neighbour)).encode()
        os.ftruncate(self._own, 0)
        os.pwrite(self._own, content, 0)

    def leave(self) -> None:
        os.ftruncate(self._own, 0)
        os.close(self._own)
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def read(data_dir: Path) -> RunningInstance:
    """What the running host offers. What a killed one had started is of no use any more: it is ending."""
    try:
        with (data_dir / OFFERS).open() as file:
            if _try(file.fileno(), fcntl.LOCK_SH):
                return NOBODY
    except OSError:
        return NOBODY
    return _written(data_dir)


def _written(data_dir: Path) -> RunningInstance:
    try:
        return RunningInstance(**json.loads((data_dir / OFFERS).read_text()))
    except (OSError, ValueError, TypeError):
        return NOBODY


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _locked(descriptor: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not _try(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
