"""Who gets how much of the traffic: one frozen value, and what a switch makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A process that takes requests. `weight`: its part of all weights. `replica`: its number, from 1."""

    release: str
    replica: int
    port: int
    weight: int = 1

    def to_json(self) -> dict[str, JsonValue]:
        return {"release": self.release, "replica": self.replica, "port": self.port, "weight": self.weight}


Routing = tuple[Backend, ...]


def all_to(new: Sequence[Backend]) -> Routing:
    """Every request goes to the new release."""
    return tuple(_weighted(one, 1) for one in new)


def canary(old: Sequence[Backend], new: Sequence[Backend], percent: int) -> Routing:
    """The new release gets `percent` of the requests, shared evenly by its processes; all where there is no old one."""
    if not old or percent >= 100:
        return all_to(new)
    fresh = [_weighted(one, percent * len(old)) for one in new]
    return (*(_weighted(one, (100 - percent) * len(new)) for one in old), *fresh)


def rolled(old: Sequence[Backend], new: Backend, *, number: int, of: int) -> Routing:
    """Process `number` of the new release replaces one of the old; the last one replaces all that are left.

    `old`: what serves now, processes of the new release among it.
    """
    ours = [one for one in old if one.release == new.release and one.replica != new.replica]
    others = [one for one in old if one.release != new.release]
    left = [] if number >= of else [one for one in others if one.replica != new.replica]
    return tuple(_weighted(one, 1) for one in (*left, *ours, new))


def without(routing: Sequence[Backend], release: str) -> Routing:
    """What is left when a release gets nothing any more."""
    return tuple(one for one in routing if one.release != release)


def releases_of(routing: Sequence[Backend]) -> tuple[str, ...]:
    """The releases that get requests, in the order of the routing."""
    return tuple(dict.fromkeys(one.release for one in routing))


def _weighted(one: Backend, weight: int) -> Backend:
    return Backend(release=one.release, replica=one.replica, port=one.port, weight=weight)
