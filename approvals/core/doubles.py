"""Several accounts of one human being: they sit as they are named, and count as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from approvals.core.plan import Plan


def counted_once(plan: Plan, same: Mapping[str, str]) -> Plan:
    """The plan with each person id in `same` replaced by the one that it counts as."""
    if not same:
        return plan

    def once(people: frozenset[str]) -> frozenset[str]:
        return frozenset(same.get(person, person) for person in people)

    stages = tuple(
        replace(
            stage,
            people=once(stage.people),
            groups={name: once(members) for name, members in stage.groups.items()},
            levels=tuple(replace(level, people=once(level.people)) for level in stage.levels),
        )
        for stage in plan.stages
    )
    return replace(plan, stages=stages, barred=once(plan.barred))


def doubles(boxes: Mapping[str, str]) -> dict[str, str]:
    """`boxes`: person id: mailbox, '' where none is known. The ids of those who share one, each with the first of them;
    not that first one itself.
    """
    first: dict[str, str] = {}
    for person, box in sorted(boxes.items()):
        if box:
            first.setdefault(box, person)
    return {person: first[box] for person, box in boxes.items() if box and first[box] != person}
