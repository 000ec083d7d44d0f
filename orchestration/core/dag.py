"""Dependencies of steps (rule 1): the order, how far down a step is, and circles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import chain, groupby
from typing import NamedTuple


class Place(NamedTuple):
    """What decides a step's place: `dependencies` None means not given; `group` '' means none."""

    step_id: str
    dependencies: tuple[str, ...] | None = None
    group: str = ""


def dependencies_of(places: Sequence[Place]) -> dict[str, tuple[str, ...]]:
    """Step id → ids it waits for (rule 1). Given ones are taken exactly; else the block before it in the list.

    A block is a step, or steps in a row that have the same group.
    """
    found: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for block in _blocks(places):
        for place in block:
            found[place.step_id] = before if place.dependencies is None else tuple(dict.fromkeys(place.dependencies))
        before = tuple(place.step_id for place in block)
    return found


def levels_of(dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Step id → the longest path from a root, in steps. Raises graphlib.CycleError."""
    levels: dict[str, int] = {}
    for step_id in TopologicalSorter(dependencies).static_order():
        levels[step_id] = max((levels[d] + 1 for d in dependencies[step_id]), default=0)
    return levels


def circle_in(dependencies: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Step ids that wait for each other, each for the next one, the first one repeated at the end; () if none do."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()


def ancestors_of(dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Step id → everything it waits for, as a bit set over the mapping's order. Needs a graph without circles."""
    bits = {step_id: 1 << index for index, step_id in enumerate(dependencies)}
    found: dict[str, int] = {}
    for step_id in TopologicalSorter(dependencies).static_order():
        found[step_id] = 0
        for dependency in dependencies[step_id]:
            found[step_id] |= found[dependency] | bits[dependency]
    return found


def scattered_groups(places: Sequence[Place]) -> dict[str, tuple[str, ...]]:
    """Group → its steps, where they do not stand in a row though one of them leaves its dependencies out."""
    blocks: dict[str, list[list[Place]]] = {}
    for block in _blocks(places):
        if block[0].group:
            blocks.setdefault(block[0].group, []).append(block)
    members = {group: list(chain(*found)) for group, found in blocks.items() if len(found) > 1}
    return {
        group: tuple(place.step_id for place in found)
        for group, found in members.items()
        if any(place.dependencies is None for place in found)
    }


def _blocks(places: Sequence[Place]) -> Iterable[list[Place]]:
    for _, block in groupby(enumerate(places), key=lambda item: item[1].group or item[0]):
        yield [place for _, place in block]
