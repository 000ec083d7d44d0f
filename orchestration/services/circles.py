"""A saga that would contain itself, by way of the published sagas that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestration.core.definition import Problem
from orchestration.core.definition.shape import step_label
from orchestration.models import Definition


def circle_problems(definition: Mapping[str, Any]) -> list[Problem]:
    """One for each step whose child leads back to this saga. A query for each saga on the way, none without children.

    A saga that is not published yet leads nowhere; publishing it closes the circle and is refused then.
    """
    own = str(definition.get("saga_id"))
    found, nowhere = [], set[str]()
    for label, name in _children(definition):
        way = _way(name, own, nowhere)
        if way:
            chain = " → ".join((own, *way))
            message, remedy = f"the saga would contain itself: {chain}", "take the child out of one of these sagas"
            field = "forward_action.definition"
            found.append(Problem(step=label, field=field, value=name, message=message, remedy=remedy))
    return found


def _way(start: str, goal: str, nowhere: set[str]) -> tuple[str, ...]:
    """The saga ids from `start` to `goal`, both included; () when no way leads there.

    `nowhere`: those from which none does; when that is found out of more, they are added.
    """
    seen = nowhere.copy()
    todo: list[tuple[str, ...]] = [(start,)]
    while todo:
        way = todo.pop()
        if way[-1] in seen:
            continue
        seen.add(way[-1])
        versions = Definition.objects.filter(saga_id=way[-1], listed=True).order_by("-version")
        latest = versions.values_list("body", flat=True).first()
        for _, name in _children(latest or {}):
            if name == goal:
                return (*way, name)
            todo.append((*way, name))
    nowhere |= seen
    return ()


def _children(definition: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The steps with a child that is named, and its name; children written in place are looked into."""
    for index, step in enumerate(definition.get("steps") or ()):
        action = step["forward_action"]
        child = action.get("definition") if action["type"] == "saga" else None
        label = f"{above}{step_label(definition, index)}"
        if isinstance(child, str):
            yield label, child
        elif isinstance(child, Mapping):
            yield from _children(child, f"{label}/")
