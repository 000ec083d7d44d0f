"""Runs that belong together: a run without a parent and all below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.models import Request
from orchestration.models import Message, Run

COLUMNS = ("pk", "parent_id", "kind", "workflow_id", "finished_at")


@dataclass(frozen=True, slots=True)
class Member:
    """A run of a family. `ended`: None while it is open."""

    pk: int
    parent_id: int | None
    kind: str
    workflow_id: str
    ended: datetime | None


Family = tuple[Member, ...]
"""In the order of their numbers, so the head comes first."""


def families_of(run_ids: Iterable[int]) -> list[Family]:
    """The families that these runs are of, each once. A query for each level above and below, whatever their number."""
    below = _members(Run.objects.filter(pk__in=list(run_ids)))
    while above := {one.parent_id for one in below.values() if one.parent_id is not None} - below.keys():
        below |= _members(Run.objects.filter(pk__in=above))
    level: Iterable[int] = list(below)
    while level:
        children = _members(Run.objects.filter(parent_id__in=level))
        level = children.keys() - below.keys()
        below |= children
    return _grouped(below)


def ids_of(families: Iterable[Family]) -> list[int]:
    """The numbers of all their runs."""
    return [one.pk for family in families for one in family]


def end_of(family: Family) -> tuple[datetime, int] | None:
    """When the last of them ended, and which one that was; None while one is open."""
    ends = [(one.ended, one.pk) for one in family if one.ended is not None]
    return max(ends) if len(ends) == len(family) else None


def undelivered_of(families: Sequence[Family]) -> set[int]:
    """Runs for which an act or another message waits to be delivered."""
    waiting = Message.objects.filter(run_id__in=ids_of(families), delivered_at=None)
    return set(waiting.values_list("run_id", flat=True))


def with_approval(families: Sequence[Family]) -> set[int]:
    """Runs that an approval is of or about: its kind, its gate, or the id that it names."""
    by_name = {one.workflow_id: one.pk for family in families for one in family}
    found = {one.pk for family in families for one in family if one.kind not in Run.SAGAS}
    found |= set(Request.objects.filter(run_id__in=ids_of(families)).values_list("run_id", flat=True))
    named = Request.objects.filter(about__in=list(by_name)).values_list("about", flat=True)
    return found | {by_name[name] for name in named}


def without(families: Iterable[Family], runs: set[int]) -> list[Family]:
    """Those of which none of these runs is a member."""
    return [family for family in families if not any(one.pk in runs for one in family)]


def _members(runs: object) -> dict[int, Member]:
    return {values[0]: Member(*values) for values in runs.values_list(*COLUMNS)}  # type: ignore[attr-defined]


def _grouped(members: dict[int, Member]) -> list[Family]:
    heads: dict[int, int] = {}
    for pk in sorted(members):  # a child is younger than its parent
        parent = members[pk].parent_id
        heads[pk] = pk if parent is None else heads[parent]
    grouped: dict[int, list[Member]] = {}
    for pk, head in heads.items():
        grouped.setdefault(head, []).append(members[pk])
    return [tuple(family) for family in grouped.values()]
