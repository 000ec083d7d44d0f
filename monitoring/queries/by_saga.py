"""Runs in figures by their saga: those that are open, and those that ended within a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import CharField, Count, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from monitoring.core.enums import HealthStatus
from monitoring.models import Norm
from orchestration.core.enums import RunStatus
from orchestration.models import Definition, Run

MOST_SAGAS = 50
MOST_IDS = 500


def by_saga(since: datetime) -> list[dict[str, Any]]:
    """Those with the most critical runs first, 50 at most."""
    rows = sorted(_of_sagas(since).values(), key=_trouble)[:MOST_SAGAS]
    usual = dict(
        Norm.objects.filter(step_id="", purpose="forward", saga_id__in=[row["saga"] for row in rows]).values_list(
            "saga_id", "p95"
        )
    )
    return [
        {
            "saga_id": row["saga"],
            "open": row["open"],
            "critical": row["critical"],
            "ended": row["ended"],
            "success_rate": round(row["good"] / row["ended"], 4) if row["ended"] else None,
            "p95_seconds": usual.get(row["saga"]),
        }
        for row in rows
    ]


def _trouble(row: dict[str, Any]) -> tuple[int, int, int, str]:
    return -row["critical"], row["good"] - row["ended"], -row["open"], row["saga"]


def _of_sagas(since: datetime) -> dict[str, dict[str, Any]]:
    """{saga: its row} of open runs and of those that ended within the window."""
    sagas = Run.objects.filter(kind=Run.SAGA)
    critical = Count("id", filter=Q(health__status=HealthStatus.CRITICAL))
    counted = [
        (part, int(pk), status, many, bad)
        for part, runs in (("open", sagas.filter(finished_at=None)), ("ended", sagas.filter(finished_at__gt=since)))
        for pk, status, many, bad in grouped(runs, ("definition_id", "status"), count=Count("id"), critical=critical)
    ]
    names: dict[int, str] = {}
    ids = sorted({pk for _, pk, *_ in counted})
    for start in range(0, len(ids), MOST_IDS):
        rows = Definition.objects.filter(pk__in=ids[start : start + MOST_IDS])
        names |= dict(rows.values_list("pk", "saga_id"))
    found: dict[str, dict[str, Any]] = {}
    for part, pk, status, many, bad in counted:
        empty = {"saga": names[pk], "open": 0, "critical": 0, "ended": 0, "good": 0}
        row = found.setdefault(names[pk], empty)
        row[part] += many
        row["critical"] += bad
        row["good"] += many if status == RunStatus.COMPLETED else 0
    return found


def grouped(found: QuerySet[Run], columns: Sequence[str], **counts: Count) -> Iterator[Any]:
    """Rows of the columns and the counts. Grouped by one text made of them: where an index begins with what is grouped
    by, SQLite walks all of it rather than the few rows that are asked for."""
    texts = [Cast(column, CharField()) for column in columns]
    key = Concat(*(part for text in texts for part in (text, Value("|"))))
    for of, *counted in found.order_by().annotate(of=key).values_list("of").annotate(**counts):
        yield *of.split("|")[: len(columns)], *counted
