"""Who lives in a data folder: one `manage.py up` at a time, and what it offers to commands in other terminals.

The lock belongs to the process, so a killed one leaves nothing behind that could be mistaken for a living one.
"""

import fcntl
import json
import os
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
    """`with Residence(data_dir) as home: home.publish(Neighbour(...))`"""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "embedded.json"
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Occupied(f"{data_dir} is in use by process {read(data_dir).pid or 'unknown'}") from None
        self.publish(Neighbour(pid=os.getpid()))

    def publish(self, neighbour: Neighbour) -> None:
        content = json.dumps(asdict(neighbour)).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, content, 0)

    def leave(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def read(data_dir: Path) -> Neighbour:
    try:
        with (data_dir / "embedded.json").open() as file:
            if _unlocked(file.fileno()):
                return NOBODY
            return Neighbour(**json.load(file))
    except (OSError, ValueError, TypeError):
        return NOBODY


def _unlocked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
