"""The processes of a release: start them until they answer, find them again, end them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path

from foundation.machine import tcp_ports
from orchestration.core.deployment.window import Answer
from orchestration.projects.deployment.local import ports, processes
from orchestration.projects.deployment.local.folder import Folder, Place, Record, locked
from orchestration.projects.deployment.probe import ask_port

LOOK_SECONDS = 0.1
OTHER_PORTS = 3
"""How often another port is tried when somebody took the leased one."""


class NotUp(Exception):
    """A process of a release does not answer; the message has its exit code and the end of its log."""


def bring_up(folder: Folder, places: Iterable[Place], cancelled: threading.Event) -> list[dict[str, object]]:
    """Start these processes, where they do not run yet, and wait until each answers well; what runs now.

    Raises:
        NotUp: one ended, did not answer in time, or the work was cancelled.
    """
    return [_one(folder, place, cancelled) for place in places]


def _one(folder: Folder, place: Place, cancelled: threading.Event) -> dict[str, object]:
    """A process on its port, or on another when that is taken by a stranger."""
    for left in reversed(range(OTHER_PORTS)):
        with locked(folder) as record:
            port = _port(folder, record, place)
        try:
            _start(folder, place)
            return _answering(folder, place, port, cancelled)
        except NotUp:
            if not (left and not _is_ours(folder, place, port) and tcp_ports.taken(port)):
                raise
            end(folder, [place], keep_ports=False)
    raise NotUp("no port was to be had")


def _port(folder: Folder, record: Record, place: Place) -> int:
    """The leased port of a process; another, when a stranger listens there."""
    known = record.releases[place.release].ports
    port = known.get(place.replica, 0)
    where = folder.replica(place.release, place.replica)
    if port and not processes.is_running(where) and tcp_ports.taken(port):
        ports.give_back(port, str(folder.path))
        port = 0
    if not port:
        port = known[place.replica] = ports.lease(str(folder.path))
    return port


def _start(folder: Folder, place: Place) -> None:
    with locked(folder) as record:
        ensure(folder, record, place)


def ensure(folder: Folder, record: Record, place: Place) -> None:
    """Start one process if it does not run, under the record's lock; whether it answers is another question.

    Raises:
        NotUp: it cannot be started.
    """
    release = record.releases[place.release]
    try:
        processes.start(
            folder.replica(place.release, place.replica),
            release.command,
            files=folder.files(place.release),
            port=release.ports[place.replica],
        )
    except (processes.NotStarted, OSError) as error:
        raise NotUp(str(error)) from None


def _answering(folder: Folder, place: Place, port: int, cancelled: threading.Event) -> dict[str, object]:
    with locked(folder) as record:
        release = record.releases[place.release]
    where = folder.replica(place.release, place.replica)
    began, answer = time.monotonic(), None
    while time.monotonic() - began < release.start_seconds:
        running = processes.is_running(where)
        answer = ask_port(port, release.health, seconds=min(release.answer_seconds, 5), target=title(place))
        if running and not answer.error and _is_ours(folder, place, port):
            return {
                "release": place.release, "replica": place.replica, "port": port,
                "seconds": round(time.monotonic() - began, 3),
            }  # fmt: skip
        if not running and not processes.is_running(where):
            raise NotUp(_ended(where, place))
        if cancelled.wait(LOOK_SECONDS):
            raise NotUp(f"{title(place)}: stopped before it answered")
    raise NotUp(_silent(where, place, release.start_seconds, answer))


def _is_ours(folder: Folder, place: Place, port: int) -> bool:
    """Whether what listens there is what was started, and nobody else's."""
    holders = set(tcp_ports.holders_of(port))
    return bool(holders & set(processes.marked(str(folder.replica(place.release, place.replica)))))


def title(place: Place) -> str:
    """A process in words."""
    return f"process {place.replica} of release {place.release}"


def _ended(where: Path, place: Place) -> str:
    code = processes.ended_with(where)
    how = "was killed" if code is None else f"ended with {code}"
    said = processes.tail(where)
    return f"{title(place)} {how} before it answered" + (f"; the end of its log: {said}" if said else "")


def _silent(where: Path, place: Place, seconds: float, answer: Answer | None) -> str:
    last = f"; the last answer: {answer.status or 'none'} {answer.error}" if answer else ""
    said = processes.tail(where)
    return f"{title(place)} did not answer well within {seconds:g} s{last}" + (f"; its log: {said}" if said else "")


def end(folder: Folder, places: Iterable[Place], *, keep_ports: bool) -> None:
    """End these processes and all that they started; their ports go back unless they are kept for a return."""
    for place in places:
        processes.stop(folder.replica(place.release, place.replica))
        if not keep_ports:
            with locked(folder) as record:
                known = record.releases.get(place.release)
                port = known.ports.pop(place.replica, 0) if known else 0
            if port:
                ports.give_back(port, str(folder.path))
