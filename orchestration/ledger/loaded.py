"""Rows of a run that were read with it, together with those of many others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from orchestration.models import Command, Run

ACTION = "run_action"
"""The kind of a command that is an attempt."""
READ = {"commands": "attempts_read", "children": "children_read"}
"""Relation → where `of_family` keeps what it read: the relation itself goes on asking the database."""
ALL = ("steps", "commands", "events", "messages", "lines", "agent_attempts", "children")


def together(runs: QuerySet[Run]) -> QuerySet[Run]:
    """These runs with all rows that belong to them: a query for each kind of row, however many runs there are."""
    return runs.select_related("definition", "archive").prefetch_related(*ALL)


def of_family(run: Run, below: Sequence[Run]) -> None:
    """Read the steps and attempts of a run and of those below it, and let each find its children: two queries in all.

    `below`: every run below it, each with its definition.
    """
    sagas = [run, *(one for one in below if one.kind in Run.SAGAS)]
    attempts = Prefetch("commands", Command.objects.filter(kind=ACTION).order_by("id"), to_attr=READ["commands"])
    prefetch_related_objects(sagas, "steps", attempts)
    for one in sagas:
        setattr(one, READ["children"], [child for child in below if child.parent_id == one.pk])


def loaded(run: Run, relation: str) -> list[Any] | None:
    """The rows of a relation that were read with the run, in the order of their numbers; None where they were not.

    Of a run's commands those that are attempts, at the least.
    """
    cache: dict[str, Any] = getattr(run, "_prefetched_objects_cache", {})
    if (own := getattr(run, READ.get(relation, ""), None)) is not None:
        cache = {relation: own}
    return sorted(cache[relation], key=lambda row: row.pk) if relation in cache else None
