"""Who gets the requests: switch, drain, and the way back of both.

What was before each change is kept before the change is made, so its way back needs no output of the step. A way back
ends with a question to the users' port: that the traffic is back is shown and not supposed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue

from foundation.clock import now
from orchestration.core.deployment.routing import Backend, Routing, all_to, canary, releases_of, rolled
from orchestration.projects.deployment.local import processes, replicas, switch
from orchestration.projects.deployment.local.folder import Folder, Place, Record, locked, read, save
from orchestration.projects.deployment.probe import ask_port

LOOK_SECONDS = 0.05


class NotBack(Exception):
    """The traffic could not be brought where it belongs; the message says why. A person has to look."""


def change(folder: Folder, release: str, key: str, how: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Switch: `how` is {"weight": percent}, {"replica": number, "of": count} or {"off": True}.

    Raises NotUp when the new release does not run, and SwitchFault; then nothing was changed.
    """
    with locked(folder) as record:
        _refuse_dead(folder, record, release, how)
        record.before.setdefault(f"{release}:{key}", list(record.routing))
        save(folder, record)
        routing = _wanted(record, release, how)
        outage = _outage(record, routing)
        _apply(folder, record, routing)
    return {"traffic": shares(routing), "generation": record.generation, "outage_seconds": outage, "release": release}


def change_back(folder: Folder, release: str, key: str) -> dict[str, JsonValue]:
    """Give the traffic to what had it before this switch, and show that it is there.

    Raises:
        NotBack: what had it does not run and cannot be started, or does not answer well.
    """
    record = read(folder)
    before = record.before.get(f"{release}:{key}")
    if before is None:
        return {"serving": list[JsonValue](_names(record)), "changed": False}
    _bring_up(folder, [place for place in before if place.release in record.releases])
    with locked(folder) as record:
        places = [place for place in before if place.release in record.releases]
        routing = record.backends(places)
        outage = _outage(record, routing)
        try:
            _apply(folder, record, routing)
        except switch.SwitchFault as error:
            raise NotBack(f"the switch could not be told: {error}") from None
    proof = _proof(folder, record)
    return {
        "serving": list[JsonValue](_names(record)), "changed": True, "traffic": shares(routing), "proof": proof,
        "outage_seconds": outage,
    }  # fmt: skip


def drain(
    folder: Folder, release: str, key: str, *, seconds: float, last: bool, cancelled: threading.Event
) -> dict[str, JsonValue]:
    """End every process that gets no requests any more, once those that it has are answered.

    `seconds`: how long open requests are waited for. `last`: the deployment is over, the new release is the live one.
    """
    with locked(folder) as record:
        places = _unused(folder, record, release)
        kept = record.stopped.setdefault(f"{release}:{key}", [])
        kept += [place for place in places if place not in kept]
    cut = _wait_for_open(folder, places, seconds, cancelled)
    replicas.end(folder, places, keep_ports=True)
    with locked(folder) as record:
        if last and record.live != release:
            record.lives.setdefault(f"{release}:{key}", (record.live, record.previous))
            record.live, record.previous = release, record.live
        stopped = list(record.stopped.get(f"{release}:{key}", []))
    told: list[JsonValue] = [{"release": one.release, "replica": one.replica} for one in stopped]
    return {"stopped": told, "open_requests_cut": cut, "live": record.live or None}


def drain_back(folder: Folder, release: str, key: str) -> dict[str, JsonValue]:
    """Start again what this drain had stopped, and wait until it answers.

    Raises:
        NotBack: it does not.
    """
    record = read(folder)
    places = [place for place in record.stopped.get(f"{release}:{key}", []) if place.release in record.releases]
    _bring_up(folder, places)
    with locked(folder) as record:
        lives = record.lives.pop(f"{release}:{key}", None)
        if lives is not None and record.live == release:
            record.live, record.previous = lives
    return {"started": [replicas.title(place) for place in places], "live": record.live or None}


def shares(routing: Routing) -> dict[str, JsonValue]:
    """Percent of the requests for each release."""
    total = sum(one.weight for one in routing)
    found: dict[str, JsonValue] = {}
    for name in releases_of(routing):
        weight = sum(one.weight for one in routing if one.release == name)
        found[name] = round(100 * weight / total, 1)
    return found


def _wanted(record: Record, release: str, how: dict[str, JsonValue]) -> Routing:
    if how.get("off") is True:
        return ()
    now_routing = record.backends()
    known = record.releases[release]
    fresh = [Backend(release=release, replica=n, port=port) for n, port in sorted(known.ports.items())]
    if "replica" in how:
        number, count = int(str(how["replica"])), int(str(how["of"]))
        new = next(one for one in fresh if one.replica == number)
        return rolled(now_routing, new, number=number, of=count)
    percent = int(str(how.get("weight", 100)))
    old = [one for one in now_routing if one.release != release]
    return all_to(fresh) if percent >= 100 else canary(old, fresh, percent)


def _refuse_dead(folder: Folder, record: Record, release: str, how: dict[str, JsonValue]) -> None:
    if how.get("off") is True:
        return
    numbers = [int(str(how["replica"]))] if "replica" in how else sorted(record.releases[release].ports)
    if not numbers:
        raise replicas.NotUp(f"release {release} has no process that could take requests")
    for number in numbers:
        if not processes.is_running(folder.replica(release, number)):
            raise replicas.NotUp(f"{replicas.title(Place(release=release, replica=number))} does not run any more")


def _apply(folder: Folder, record: Record, routing: Routing) -> None:
    """The switch follows; when it cannot be told, the record says the old routing still."""
    old = (list(record.routing), record.generation)
    record.routing = [Place(release=one.release, replica=one.replica, weight=one.weight) for one in routing]
    record.generation += 1
    save(folder, record)
    try:
        switch.ensure(folder, record)
    except switch.SwitchFault:
        record.routing, record.generation = old[0], old[1] + 2
        save(folder, record)
        switch.write_table(folder, record)
        raise


def _outage(record: Record, routing: Routing) -> float:
    """Seconds without any release, 0 while there is none or there was no gap; notes its begin and its end."""
    if not routing:
        record.outage_since = record.outage_since or (now().isoformat() if record.routing else "")
        return 0.0
    since, record.outage_since = record.outage_since, ""
    return round((now() - datetime.fromisoformat(since)).total_seconds(), 3) if since else 0.0


def _unused(folder: Folder, record: Record, release: str) -> list[Place]:
    """Processes of other releases that run and get nothing."""
    used = {(place.release, place.replica) for place in record.routing}
    return [
        Place(release=name, replica=number)
        for name, one in record.releases.items()
        if name != release
        for number in sorted(one.ports)
        if (name, number) not in used and processes.is_running(folder.replica(name, number))
    ]


def _wait_for_open(folder: Folder, places: Iterable[Place], seconds: float, cancelled: threading.Event) -> int:
    """Wait for the requests that these still have; how many are cut off."""
    record = read(folder)
    wanted = [str(record.releases[place.release].ports[place.replica]) for place in places]
    until = time.monotonic() + seconds
    while wanted:
        try:
            counted = switch.ask(folder, "status")["open"]
        except switch.SwitchFault:
            return 0  # without a switch nothing is open
        left = sum(int(counted.get(port, 0)) for port in wanted)
        if not left or time.monotonic() > until or cancelled.is_set():
            return left
        time.sleep(LOOK_SECONDS)
    return 0


def _bring_up(folder: Folder, places: list[Place]) -> None:
    try:
        replicas.bring_up(folder, places, threading.Event())
    except replicas.NotUp as error:
        raise NotBack(f"what served before cannot be started again: {error}") from None


def _proof(folder: Folder, record: Record) -> JsonValue:
    """The answer at the users' port. Raises NotBack for a bad one."""
    if not record.routing:
        return None
    first = record.releases[record.routing[0].release]
    answer = ask_port(record.port, first.health, seconds=first.answer_seconds, target="the users' port")
    if answer.error:
        raise NotBack(
            f"the traffic was switched back, and the users' port answers {answer.status or 'nothing'}: {answer.error}"
        )
    return answer.to_json()


def _names(record: Record) -> list[str]:
    return list(dict.fromkeys(place.release for place in record.routing))
