"""The records of runs before their rows go, and whether the runs are still as they were recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from foundation.guarded import guarded
from monitoring.retention.families import Family, ids_of, undelivered_of, without
from orchestration.ledger import removal
from orchestration.ledger.loaded import together
from orchestration.models import Archive, Run
from orchestration.runs.archive.records import written
from orchestration.runs.archive.views import fitted
from orchestration.runs.attempts import attempt_views
from orchestration.runs.queries import run_view

log = logging.getLogger("workflows")
MOST_EVENTS = 20_000
"""Of the runs whose rows are read together."""


@dataclass(frozen=True, slots=True)
class Record:
    """A run as it was recorded; `version` tells whether it still is so. `view`: None where none was asked for."""

    version: int
    sha256: str
    file: str
    view: dict[str, Any] | None = None


def archived(families: Iterable[Family]) -> dict[int, str]:
    """Of the runs that are condensed: the hash of their record."""
    return dict(Archive.objects.filter(pk__in=ids_of(families)).values_list("pk", "sha256"))


def recorded(run_ids: Iterable[int], *, with_view: bool) -> dict[int, Record]:
    """The records of these runs; one that cannot be made is left out, with a line in the log.

    Raises:
        OSError: a record cannot be written.
    """
    found: dict[int, Record] = {}
    for run in _read(list(run_ids)):
        made = guarded(_Making(run, with_view), lambda error: error)
        if isinstance(made, OSError):
            raise made
        if isinstance(made, Exception):
            log.error("run %s cannot be archived, so it stays as it is", run.workflow_id, exc_info=made)
            continue
        found[run.pk] = made
    return found


def _read(run_ids: list[int]) -> QuerySet[Run]:
    """The runs with all their rows, unless these are too many to be held together."""
    runs = Run.objects.filter(pk__in=run_ids).order_by("pk")
    lengths = (head.get("next_seq", 1) for head in runs.values_list("head", flat=True))
    return together(runs) if sum(lengths) <= MOST_EVENTS else runs.select_related("definition", "archive")


@dataclass(frozen=True, slots=True)
class _Making:
    run: Run
    with_view: bool

    def __call__(self) -> Record:
        view = None
        if self.with_view:
            view = fitted(run_view(self.run) | {"attempts": attempt_views(self.run)})
        sha256, file = written(self.run)
        return Record(version=self.run.version, sha256=sha256, file=file, view=view)


def lock_unchanged(families: Sequence[Family], records: dict[int, Record]) -> list[Run]:
    """Lock the runs of those families that are as they were found and recorded, and return them.

    A family is left out when one of its runs is locked by others, has begun anew, or has a message to come.
    """
    locked = {run.pk: run for run in removal.locked(ids_of(families))}
    changed = undelivered_of(families)
    for one in (one for family in families for one in family):
        run, record = locked.get(one.pk), records.get(one.pk)
        if run is None or run.finished_at != one.ended or (record is not None and record.version != run.version):
            changed.add(one.pk)
    return [locked[pk] for pk in ids_of(without(families, changed))]
