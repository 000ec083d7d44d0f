"""The requirement ledger: what was asked for, which tasks serve it, and how far each of it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from orchestration.core.project.plan import Requirement
from orchestration.core.project.spec import ProjectSpec


class RequirementStatus(StrEnum):
    """`open`: no plan yet. `planned`: tasks serve it. `working`: one is begun. `served`: all are merged.

    `unserved`: a task of it failed for good, or was taken back.
    """

    OPEN = "open"
    PLANNED = "planned"
    WORKING = "working"
    SERVED = "served"
    UNSERVED = "unserved"


class TaskStatus(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    WORKING = "working"
    WAITING = "waiting"
    MERGED = "merged"
    FAILED = "failed"
    DROPPED = "dropped"
    REVERTED = "reverted"


LOST = frozenset({TaskStatus.FAILED, TaskStatus.DROPPED, TaskStatus.REVERTED})


def ledger(spec: ProjectSpec) -> tuple[Requirement, ...]:
    """The requirements of a spec as R1, R2 …, in its order."""
    return tuple(
        Requirement(requirement_id=f"R{number}", text=text.strip()) for number, text in enumerate(spec.requirements, 1)
    )


def requirement_ids(given: Sequence[str], requirements: Sequence[Requirement]) -> tuple[list[str], list[str]]:
    """The ids that these words name, each once, and the words that name none: an id in any case, or its own text."""
    known = {one.requirement_id.casefold(): one.requirement_id for one in requirements}
    known |= {one.text.casefold(): one.requirement_id for one in requirements}
    words = [word.strip() for word in given]
    found = [known[word.casefold()] for word in words if word.casefold() in known]
    return list(dict.fromkeys(found)), [word for word in words if word.casefold() not in known]


def requirement_status(tasks: Sequence[TaskStatus]) -> RequirementStatus:
    """From the tasks that serve it."""
    if not tasks:
        return RequirementStatus.OPEN
    if all(status is TaskStatus.MERGED for status in tasks):
        return RequirementStatus.SERVED
    if any(status in LOST for status in tasks):
        return RequirementStatus.UNSERVED
    begun = any(status is not TaskStatus.PENDING for status in tasks)
    return RequirementStatus.WORKING if begun else RequirementStatus.PLANNED


def served(coverage: Mapping[str, Sequence[str]], tasks: Mapping[str, TaskStatus]) -> list[str]:
    """The requirements all of whose tasks are merged."""
    return [
        requirement_id
        for requirement_id, names in coverage.items()
        if requirement_status([tasks[name] for name in names]) is RequirementStatus.SERVED
    ]
