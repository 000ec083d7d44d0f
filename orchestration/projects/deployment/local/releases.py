"""A release comes to be and goes: its files, its place in the record, the port that users call."""

from __future__ import annotations

import shutil
import threading

from pydantic import JsonValue

from foundation.machine import tcp_ports
from orchestration.core.deployment.config import DeploymentConfig
from orchestration.core.deployment.validate import words_of
from orchestration.projects.deployment.local import ports, processes, replicas, switch
from orchestration.projects.deployment.local.checkout import checkout
from orchestration.projects.deployment.local.folder import Folder, Place, Record, Release, locked, save


def make(
    folder: Folder, release: str, config: DeploymentConfig, *, workflow_id: str, commit: str, repository: str
) -> dict[str, JsonValue]:
    """Files, the users' port and the switch; what serves goes on serving.

    Raises NoCheckout, NoPort and SwitchFault: then nothing of it is left.
    """
    with locked(folder) as record:
        _tidy(folder, record, {release, record.live})
        count = checkout(repository, commit, folder.files(release))
        try:
            _lease_for_users(folder, record, config.port, release)
            record.holder = workflow_id
            record.releases.setdefault(
                release,
                Release(
                    workflow_id=workflow_id,
                    commit=commit,
                    command=words_of(config),
                    health=config.health if isinstance(config.health, str) else "/",
                    start_seconds=config.start_seconds,
                    answer_seconds=config.answer_seconds,
                ),
            )
            save(folder, record)
            switch.ensure(folder, record)
        except (ports.NoPort, switch.SwitchFault):
            _move_back(folder, record, release)
            _forget(folder, record, release)
            save(folder, record)
            raise
        live = record.releases.get(record.live)
        return {
            "release": release,
            "commit": commit,
            "files": count,
            "port": record.port,
            "address": f"http://127.0.0.1:{record.port}",
            "previous": {"release": record.live, "commit": live.commit} if live else None,
        }


def unmake(folder: Folder, release: str) -> dict[str, JsonValue]:
    """Take a release away that gets no requests; the last one takes the switch and its port with it.

    Raises NoPort and SwitchFault where the users' port of before cannot be had any more.
    """
    with locked(folder) as record:
        known = record.releases.get(release)
        numbers = list(known.ports) if known else []
    replicas.end(folder, [Place(release=release, replica=number) for number in numbers], keep_ports=False)
    with locked(folder) as record:
        _move_back(folder, record, release)
        _forget(folder, record, release)
        save(folder, record)
    left = processes.marked(f"{folder.release(release)}/")
    return {
        "release": release,
        "removed": True,
        "processes_left": list[JsonValue](left),
        "serving": record.live or None,
    }


def stop_all(folder: Folder) -> dict[str, JsonValue]:
    """End everything of a deployment, and forget it: for operators. Users get no connection from then on."""
    with locked(folder) as record:
        record.routing, record.live, record.previous = [], "", ""
        places = [Place(release=name, replica=n) for name, one in record.releases.items() for n in one.ports]
        save(folder, record)
    replicas.end(folder, places, keep_ports=False)
    with locked(folder) as record:
        for release in list(record.releases):
            _forget(folder, record, release)
        _close(folder, record)
        save(folder, record)
    return {"stopped": [replicas.title(place) for place in places], "left": list(processes.marked(f"{folder.path}/"))}


def _lease_for_users(folder: Folder, record: Record, wanted: int, release: str) -> None:
    """The port that users call: as configured, else as it was, else a free one. Another one ends the old switch.

    The lease of the port before is kept as long as the release is: it may have to come back.
    """
    if record.port and wanted in (0, record.port):
        ports.lease_this(record.port, str(folder.path))
        return
    port = wanted or ports.lease(str(folder.path))
    ports.lease_this(port, str(folder.path))
    if why := tcp_ports.taken(port):
        ports.give_back(port, str(folder.path))
        raise ports.NoPort(f"{why}; free it, or give another port in config.deployment")
    if record.port:
        switch.stop(folder)
        record.moved[release] = record.port
    record.port = port


def _move_back(folder: Folder, record: Record, release: str) -> None:
    """The users' port as it was before this release."""
    before = record.moved.get(release, 0)
    if not before or not set(record.releases) - {release}:
        return
    if before != record.port:
        switch.stop(folder)
        if why := tcp_ports.taken(before):
            switch.ensure(folder, record)
            raise ports.NoPort(f"users cannot be given their port back: {why}")
        ports.give_back(record.port, str(folder.path))
        record.port = before
        save(folder, record)
    switch.ensure(folder, record)


def _forget_move(folder: Folder, record: Record, release: str) -> None:
    """Nobody comes back from this release any more: the users' port before it is free."""
    before = record.moved.pop(release, 0)
    if before and before != record.port:
        ports.give_back(before, str(folder.path))


def _tidy(folder: Folder, record: Record, keep: set[str]) -> None:
    """Releases that no run can come back to any more, and what an earlier deployment left."""
    serving = {place.release for place in record.routing}
    for release in [one for one in record.releases if one not in keep | serving | {record.previous}]:
        for number in list(record.releases[release].ports):
            processes.stop(folder.replica(release, number))
        _forget(folder, record, release)


def _forget(folder: Folder, record: Record, release: str) -> None:
    """Take the files and leases of a release away; without any release, the switch too."""
    known = record.releases.pop(release, None)
    for port in known.ports.values() if known else ():
        ports.give_back(port, str(folder.path))
    shutil.rmtree(folder.release(release), ignore_errors=True)
    _forget_move(folder, record, release)
    for kept in (record.before, record.stopped, record.lives):
        for key in [one for one in kept if one.startswith(f"{release}:")]:
            del kept[key]
    if not record.releases:
        _close(folder, record)


def _close(folder: Folder, record: Record) -> None:
    switch.stop(folder)
    if record.port:
        ports.give_back(record.port, str(folder.path))
    record.port, record.routing, record.holder = 0, [], ""


NEVER = threading.Event()
"""For what nobody cancels."""
