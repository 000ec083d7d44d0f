"""What is known about a deployment on this machine: one record, read and replaced as a whole, under a lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from pydantic import BaseModel, ConfigDict

from orchestration.agents.claims import require_current
from orchestration.core.deployment.routing import Backend, Routing


class Busy(Exception):
    """Another process works on the deployment at this moment."""


class Place(BaseModel):
    """A process of a routing, without its port: that may be another when it is started again."""

    model_config = ConfigDict(extra="ignore")

    release: str
    replica: int
    weight: int = 1


class Release(BaseModel):
    """A release: of which run, what it starts, and the ports of its processes by their numbers."""

    model_config = ConfigDict(extra="ignore")

    workflow_id: str
    commit: str = ""
    command: tuple[str, ...] = ()
    health: str = "/"
    start_seconds: float = 60
    answer_seconds: float = 5
    ports: dict[int, int] = {}


class Record(BaseModel):
    """`holder`: the run that deployed last. `live`: the release that it left serving, `previous`: the one before.

    `moved`: the users' port before a release took another. `before`: the routing
    before each switch, and `stopped`: what each drain stopped, by step and iteration.
    """

    model_config = ConfigDict(extra="ignore")

    port: int = 0
    holder: str = ""
    live: str = ""
    previous: str = ""
    generation: int = 0
    outage_since: str = ""
    routing: list[Place] = []
    releases: dict[str, Release] = {}
    before: dict[str, list[Place]] = {}
    stopped: dict[str, list[Place]] = {}
    lives: dict[str, tuple[str, str]] = {}
    moved: dict[str, int] = {}

    def backends(self, places: list[Place] | None = None) -> Routing:
        """A routing with the ports of now; the present one when none is given."""
        return tuple(
            Backend(
                release=one.release,
                replica=one.replica,
                port=self.releases[one.release].ports[one.replica],
                weight=one.weight,
            )
            for one in (self.routing if places is None else places)
            if one.release in self.releases and one.replica in self.releases[one.release].ports
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one deployment, by its name."""

    path: Path

    @property
    def name(self) -> str:
        """The deployment's name."""
        return self.path.name

    def release(self, release: str) -> Path:
        """The folder of a release."""
        return self.path / "releases" / release

    def files(self, release: str) -> Path:
        """The checked out files of a release."""
        return self.release(release) / "files"

    def replica(self, release: str, number: int) -> Path:
        """The folder of one process of a release."""
        return self.release(release) / "replicas" / str(number)


def root() -> Path:
    """Where all deployments of this machine are."""
    return Path(settings.ZEN_DATA_DIR) / "deployments"


def folder_of(name: str) -> Folder:
    """The folder of a deployment; made when it is not there."""
    path = root() / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Folder(path)


def folders() -> list[Folder]:
    """The deployments that this machine knows."""
    return [Folder(path.parent) for path in sorted(root().glob("*/record.json"))]


def release_id(workflow_id: str) -> str:
    """The release that a run makes."""
    return "r" + hashlib.sha256(workflow_id.encode()).hexdigest()[:12]


@contextmanager
def locked(folder: Folder, *, wait: bool = True) -> Iterator[Record]:
    """The record, alone with it; what was changed is kept, unless an error ends it.

    Raises:
        Superseded: the attempt that this is for is another worker's by now.
        Busy: with `wait` False, when another process or thread has the lock.
    """
    lock = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Busy(folder.name) from None
        require_current()
        record = read(folder)
        before = record.model_dump_json()
        yield record
        if record.model_dump_json() != before:
            save(folder, record)
    finally:
        os.close(lock)


def read(folder: Folder) -> Record:
    """The record as it is now, for those who only look."""
    file = folder.path / "record.json"
    return Record.model_validate_json(file.read_text()) if file.is_file() else Record()


def save(folder: Folder, record: Record) -> None:
    """Keep the record now, before what follows is done."""
    replace_file(folder.path / "record.json", record.model_dump_json(indent=1))


def replace_file(path: Path, text: str) -> None:
    """Write a file as a whole: a reader, and a machine that loses power, finds the old or the new one."""
    half = path.with_name(path.name + ".half")
    with half.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
