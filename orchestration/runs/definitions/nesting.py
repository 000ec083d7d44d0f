"""The published sagas that a saga names as children: whether they are there, and whether one leads back to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from orchestration.core.definition import Problem
from orchestration.core.definition.actions import is_placeholder
from orchestration.core.definition.problems import MOST_PROBLEMS
from orchestration.core.definition.shape import step_label
from orchestration.core.likeness import bounded, nearest
from orchestration.models import Definition

MOST_NAMES = 1000
"""Published sagas among which the nearest name is looked for."""

MOST_SINGLY = 20
"""Names that are read one by one without asking first which of them are published."""


def circle_problems(definition: Mapping[str, Any]) -> list[Problem]:
    """One for each step whose child leads back to this saga. A query for each published saga on the way, and one for
    all names together where a saga has many; none without children.

    A saga that is not published yet leads nowhere; publishing it closes the circle and is refused then.
    """
    own, children = str(definition.get("saga_id")), list(_children(definition))
    found, nowhere = [], _unpublished({name for _, name in children})
    for label, name in children:
        way = _way(name, own, nowhere)
        if way:
            chain = " → ".join((own, *way))
            message, remedy = f"the saga would contain itself: {chain}", "take the child out of one of these sagas"
            field = "forward_action.definition"
            found.append(Problem(step=label, field=field, value=name, message=message, remedy=remedy))
    return found


@bounded
def unknown_children(definition: Mapping[str, Any]) -> list[Problem]:
    """One for each step whose child is named and not published. One query where children are named, and
    one more where one is unknown.
    """
    named = list(_children(definition))
    if not named:
        return []
    listed = Definition.objects.filter(listed=True)
    known = set(listed.filter(saga_id__in={name for _, name in named}).values_list("saga_id", flat=True))
    unknown = [(label, name) for label, name in named if name not in known]
    there = list(listed.order_by().values_list("saga_id", flat=True).distinct()[:MOST_NAMES]) if unknown else []
    close = {name: nearest(name, there) for _, name in unknown[:MOST_PROBLEMS]}  # no more of them are told
    return [_unknown(label, name, close.get(name, "")) for label, name in unknown]


def _unknown(label: str, name: str, close: str) -> Problem:
    remedy = f"did you mean '{close}'?" if close else "publish it first"
    message, field = "there is no published saga of this name", "forward_action.definition"
    return Problem(step=label, field=field, value=name, message=message, remedy=remedy)


def _way(start: str, goal: str, nowhere: set[str]) -> tuple[str, ...]:
    """The saga ids from `start` to `goal`, both included; () when no way leads there.

    `nowhere`: those from which none does; when that is found out of more, they are added.
    """
    seen = set[str]()
    todo: list[tuple[str, ...]] = [(start,)]
    while todo:
        way = todo.pop()
        if way[-1] in seen or way[-1] in nowhere:
            continue
        seen.add(way[-1])
        versions = Definition.objects.filter(saga_id=way[-1], listed=True).order_by("-version")
        latest = versions.values_list("body", flat=True).first()
        names = dict.fromkeys(name for _, name in _children(latest or {}))
        if goal in names:
            return (*way, goal)
        nowhere |= _unpublished(names.keys() - nowhere - seen)
        todo += [(*way, name) for name in names if name not in nowhere]
    nowhere |= seen
    return ()


def _unpublished(names: Collection[str]) -> set[str]:
    """Those of many that no published saga has; of few nothing is said, since each is read anyway."""
    if len(names) <= MOST_SINGLY:
        return set()
    listed = Definition.objects.filter(saga_id__in=names, listed=True)
    return set(names) - set(listed.values_list("saga_id", flat=True))


def _children(definition: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The steps with a child that is named, and its name; children written in place are looked into."""
    for index, step in enumerate(definition.get("steps") or ()):
        action = step["forward_action"]
        child = action.get("definition") if action["type"] == "saga" else None
        label = f"{above}{step_label(definition, index)}"
        if isinstance(child, str):
            if not is_placeholder(child):  # one that a step gives is looked into when it is known
                yield label, child
        elif isinstance(child, Mapping):
            yield from _children(child, f"{label}/")
