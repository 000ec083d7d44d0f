"""Takes away rows of runs that ended long ago, inside the caller's transaction, which has the runs locked.

Each statement names runs and finds its rows by an index that begins with the run; none looks for rows that something
else lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db import connection

from foundation.db import statements
from orchestration.models import Run

DETAILS = (
    "orchestration_event", "orchestration_message", "orchestration_runline", "orchestration_command",
    "orchestration_agentattempt", "orchestration_agentlease",
)  # fmt: skip
WITH_THE_RUN = ("orchestration_step", "orchestration_archive")
LINES = ("orchestration_runline",)
MOST_IDS = 500
"""In one statement."""


def locked(run_ids: Sequence[int]) -> list[Run]:
    """Those of these runs that nobody else has locked, locked until the transaction ends; some columns deferred."""
    found = Run.objects.filter(pk__in=run_ids).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return list(found.only("workflow_id", "kind", "status", "version", "finished_at", "parent_id", "definition_id"))


def delete(table: str, run_ids: Iterable[int], *, column: str = "run_id") -> int:
    """Delete the rows of these runs; returns how many there were. `column`: the one that names the run."""
    gone = 0
    with connection.cursor() as cursor:
        for part in _parts(list(run_ids)):
            marks = ", ".join(["%s"] * len(part))
            cursor.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", part)  # noqa: S608 - our own names
            gone += max(0, cursor.rowcount)
    return gone


def delete_own_definitions(definition_ids: Iterable[int]) -> int:
    """Delete those of these definitions that came in with a run and that no run has any more."""
    ids = sorted(set(definition_ids))
    gone = 0
    with connection.cursor() as cursor:
        for part in _parts(ids):
            marks = ", ".join(["%s"] * len(part))
            cursor.execute(
                f"DELETE FROM orchestration_definition WHERE id IN ({marks}) AND NOT listed "  # noqa: S608 - our own
                "AND NOT EXISTS (SELECT 1 FROM orchestration_run WHERE definition_id = orchestration_definition.id)",
                part,
            )
            gone += max(0, cursor.rowcount)
    return gone


def bury(stones: Iterable[Sequence[object]]) -> None:
    """Write what stays of removed runs: (workflow_id, status, ended_at, removed_at, sha256) each, moments adapted."""
    columns = "workflow_id, status, ended_at, removed_at, sha256"
    statements.run(
        *statements.insert("orchestration_tombstone", columns, stones, on_conflict="(workflow_id) DO NOTHING")
    )


def _parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), MOST_IDS):
        yield ids[start : start + MOST_IDS]
