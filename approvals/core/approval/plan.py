"""A request's chain, frozen when it is asked for: the policy's stages with the people they came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import TypeAdapter

from approvals.core.enums import AtTheEnd, Authority, Mode
from approvals.core.policy.hours import Hours, Span


def by_id(person: str) -> tuple[str, int, str]:
    """What person ids are sorted by: accounts in the order in which they were made, so 9 before 10."""
    kind, _, rest = person.partition(":")
    return kind, int(rest) if rest.isdecimal() else 0, rest


def in_order(people: Iterable[str]) -> list[str]:
    return sorted(people, key=by_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """An escalation `after` the stage's clock began: who is told, and whether they may decide."""

    after: Span
    authority: Authority
    people: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """`people` and the members of `groups` are person ids. `number`: of mode n; `percent`: 1 to 100.

    `minima`: for mode groups, how many of each. `reject_on`: whether the first rejection ends the request, or only one
    after which it cannot pass any more. `latest`: it expires then, if not before. `clock_starts`: when it opens, or
    when the first of its people was reached.
    """

    name: str
    people: frozenset[str]
    mode: Mode = Mode.ANY
    number: int = 1
    percent: int = 100
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    minima: Mapping[str, int] = field(default_factory=dict)
    reject_on: Literal["first", "impossible"] = "first"
    reminders: tuple[Span, ...] = ()
    levels: tuple[Level, ...] = ()
    expires: Span | None = None
    latest: Span | None = None
    at_the_end: AtTheEnd = AtTheEnd.REJECT
    clock_starts: Literal["opened", "delivered"] = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`barred`: who may never decide here, through whichever door: the requester, the author, the agent's owner."""

    stages: tuple[StagePlan, ...]
    barred: frozenset[str] = frozenset()
    hours: Hours = field(default_factory=Hours)
    cooling_off_seconds: float = 0.0


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


PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
"""To JSON and back."""
