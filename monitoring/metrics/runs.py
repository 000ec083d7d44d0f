"""Runs are counted in the transaction that stores their health: each once, whoever stores it, whatever is killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction

from foundation import telemetry
from foundation.clock import database_now
from foundation.db import statements
from foundation.telemetry import Series as Name
from foundation.telemetry import Values
from foundation.telemetry.metrics import bucket_of
from monitoring.metrics.store import merge, statements_for
from orchestration.core.enums import RunStatus
from orchestration.models import Run

BEGUN, ENDED, BOTH = 1, 2, 3
"""What a row's `counted` says has been counted of its run: its begin; its end, later; both at once."""

_MARK = """
UPDATE monitoring_runhealth SET counted = CASE WHEN NOT ended THEN %s WHEN counted = 0 THEN %s ELSE %s END
WHERE run_id IN ({ids}) AND (counted = 0 OR (ended AND counted = %s)) RETURNING run_id, counted
"""
_COLUMNS = (
    "pk", "workflow_id", "kind", "definition__saga_id", "engine", "status", "cause", "created_at", "finished_at",
    "trace",
)  # fmt: skip


def count_runs(run_ids: Sequence[int]) -> None:
    """Count those of these runs that have begun, or ended, since they were counted last.

    Called in the transaction that has stored their health.
    """
    if not run_ids:
        return
    text = _MARK.format(ids=", ".join(["%s"] * len(run_ids)))
    marked, *_ = statements.rows_of(statements.Statement(text, [BEGUN, BOTH, ENDED, *run_ids, BEGUN]))
    if not marked:
        return
    what = dict(marked)
    measured: dict[Name, Values] = {}
    for row in Run.objects.filter(pk__in=list(what)).values(*_COLUMNS):
        of_saga = (("kind", row["kind"]), ("saga_id", row["definition__saga_id"]))
        if what[row["pk"]] in (BEGUN, BOTH):
            _add(measured, "zen_runs_started_total", (("engine", row["engine"]), *of_saga), Values(1))
        if what[row["pk"]] in (ENDED, BOTH):
            labels = (("cause", row["cause"]), ("engine", row["engine"]), *of_saga, ("status", row["status"]))
            _add(measured, "zen_runs_ended_total", labels, Values(1))
            seconds = _seconds(row)
            _add(measured, "zen_run_duration_seconds", of_saga, Values(1, seconds, {bucket_of(seconds): 1}))
            if row["trace"]:
                transaction.on_commit(partial(_trace, row, seconds), robust=True)
    statements.run(*statements_for(measured, database_now()))


def _seconds(row: Mapping[str, Any]) -> float:
    return (row["finished_at"] - row["created_at"]).total_seconds() if row["finished_at"] else 0.0


def _trace(row: Mapping[str, Any], seconds: float) -> None:
    """The end of the run as a span of its trace, at the moment of the end."""
    with telemetry.span(
        "run end", parent=row["trace"], at=row["finished_at"], workflow_id=row["workflow_id"], status=row["status"],
        cause=row["cause"], engine=row["engine"], saga_id=row["definition__saga_id"],
    ) as span:  # fmt: skip
        span.set("zen.duration_seconds", f"{seconds:.3f}")
        if row["status"] != RunStatus.COMPLETED:
            span.fail(row["status"])


def _add(measured: dict[Name, Values], name: str, labels: tuple[tuple[str, str], ...], values: Values) -> None:
    merge(measured.setdefault((name, labels), Values()), values)
