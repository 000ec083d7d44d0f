"""Runs by their health, and norms, as JSON rows."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When

from foundation.clock import iso
from monitoring.core import durations, norms
from monitoring.core.enums import HealthStatus
from monitoring.models import Norm, RunHealth


def runs_by_health(*, status: str = "", saga_id: str = "", issue: str = "", target: str = "") -> QuerySet[RunHealth]:
    """Open runs and those that ended in trouble, the worst first; an empty filter matches all that are not healthy.

    `status`: of health. `issue`: a code, such as `step_blocks`.
    """
    found = RunHealth.objects.select_related("run")
    found = found.filter(status=status) if status else found.exclude(status=HealthStatus.HEALTHY)
    if saga_id:
        found = found.filter(saga_id=saga_id)
    if target:
        found = found.filter(target=target)
    if issue:
        found = found.filter(issues__icontains=f'"code": "{issue}"') | found.filter(
            issues__icontains=f'"code":"{issue}"'
        )
    ranks = [When(status=one.value, then=Value(-one.rank)) for one in HealthStatus]
    return found.annotate(rank=Case(*ranks, output_field=IntegerField())).order_by("rank", "-since", "pk")


def norm_rows(saga_id: str = "") -> list[dict[str, Any]]:
    """What is usual, with the bound from which on something is slow, and what the bound is from."""
    found = Norm.objects.defer("sketch").order_by("saga_id", "step_id", "purpose")
    rows = found.filter(saga_id=saga_id) if saga_id else found[:1000]
    return [_norm_row(row) for row in rows]


def _norm_row(row: Norm) -> dict[str, Any]:
    norm = norms.Norm(n=row.n, p50=row.p50, p95=row.p95, p99=row.p99)
    bound = norms.slow(norm, None, durations.in_words(row.p95 or 0))
    return {
        "saga_id": row.saga_id,
        "step_id": row.step_id or None,
        "purpose": row.purpose,
        "n": round(row.n, 1),
        "p50": row.p50,
        "p95": row.p95,
        "p99": row.p99,
        "slow_seconds": round(bound.seconds, 3),
        "why": bound.why,
        "updated_at": iso(row.updated_at),
    }
