"""Rows of a run that were read with it, together with those of many others."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from orchestration.models import Run

ALL = ("steps", "commands", "events", "messages", "lines", "agent_attempts", "children")


def together(runs: QuerySet[Run]) -> QuerySet[Run]:
    """These runs with all rows that belong to them: a query for each kind of row, however many runs there are."""
    return runs.select_related("definition", "archive").prefetch_related(*ALL)


def loaded(run: Run, relation: str) -> list[Any] | None:
    """The rows of a relation that were read with the run, in the order of their numbers; None where they were not."""
    cache: dict[str, Any] = getattr(run, "_prefetched_objects_cache", {})
    return sorted(cache[relation], key=lambda row: row.pk) if relation in cache else None
