"""The whole site in figures: what is open now, what ended within the last day, which sagas are worst.

Total = open now + ended within the window = healthy + warning + critical + unknown. Nothing counts over all history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet

from foundation.clock import database_now, iso
from monitoring.core.enums import HealthStatus
from monitoring.models import Alert, Loop, RunHealth
from monitoring.queries import recovery
from monitoring.queries.alerts import alert_view, alerts
from monitoring.queries.by_saga import by_saga, grouped
from orchestration.core.enums import RunStatus
from orchestration.models import Command, Run, Worker

WINDOW_HOURS = 24
MOST_ALERTS = 50
MOST_RECOVERIES = 20
MOST_DURATIONS = 10_000
MOST_READY = 1000


def overview() -> dict[str, Any]:
    """One JSON object (docs/reference/monitoring.md)."""
    now = database_now()
    since = now - timedelta(hours=WINDOW_HOURS)
    opened = Counter[tuple[str, str, str]]()
    for status, kind, engine, count in _counts(Run.objects.filter(finished_at=None)):
        opened[status, kind, engine] = count
    ended = Counter[tuple[str, str, str]]()
    for status, kind, engine, count in _counts(Run.objects.filter(finished_at__gt=since)):
        ended[status, kind, engine] = count
    return {
        "generated_at": iso(now),
        "window_hours": WINDOW_HOURS,
        "monitoring": _monitoring(now),
        "summary": _summary(opened, ended, since, now),
        "by_status": _by(opened + ended, 0),
        "by_engine": _by(opened + ended, 2),
        "by_type": _by(opened + ended, 1),
        "by_saga": by_saga(since),
        "alerts": [alert_view(alert) for alert in alerts()[:MOST_ALERTS]],
        "recoveries": recovery.views(recovery.attempts()[:MOST_RECOVERIES]),
        "workers": _workers(now),
    }


def _counts(found: QuerySet[Run]) -> Iterator[tuple[str, str, str, int]]:
    yield from grouped(found, ("status", "kind", "engine"), count=Count("id"))


def _by(counts: Counter[tuple[str, str, str]], place: int) -> dict[str, int]:
    found: Counter[str] = Counter()
    for key, count in counts.items():
        found[key[place]] += count
    return dict(sorted(found.items()))


def _monitoring(now: datetime) -> dict[str, Any]:
    at = Loop.objects.filter(name="watch").values_list("at", flat=True).first()
    return {
        "enabled": settings.WORKFLOW_MONITORING_ENABLED,
        "last_watch_at": iso(at),
        "lag_seconds": round((now - at).total_seconds(), 3) if at else None,
    }


def _summary(opened: Counter[Any], ended: Counter[Any], since: datetime, now: datetime) -> dict[str, Any]:
    by_open, by_ended = _by(opened, 0), _by(ended, 0)
    total_open, total_ended = sum(by_open.values()), sum(by_ended.values())
    completed = by_ended.get(RunStatus.COMPLETED, 0)
    health = _health(since)
    judged = sum(health.values())
    done = Run.objects.filter(finished_at__gt=since, status=RunStatus.COMPLETED, started_at__isnull=False)
    durations = sorted(
        (over - began).total_seconds()
        for began, over in done.order_by("-finished_at").values_list("started_at", "finished_at")[:MOST_DURATIONS]
        if began and over
    )
    firing = Alert.objects.filter(state=Alert.FIRING)
    alerts_by = dict(firing.order_by().values_list("severity").annotate(count=Count("pk")))
    oldest = _oldest_waiting(now)
    return {
        "total_workflows": total_open + total_ended,
        "open_workflows": total_open,
        "completed_workflows": completed,
        "failed_workflows": total_ended - completed,
        "healthy_workflows": health[HealthStatus.HEALTHY] + max(0, total_open + total_ended - judged),
        "warning_workflows": health[HealthStatus.WARNING],
        "critical_workflows": health[HealthStatus.CRITICAL],
        "unknown_workflows": health[HealthStatus.UNKNOWN],
        "held_workflows": by_open.get(RunStatus.HELD, 0),
        "needs_attention_workflows": by_open.get(RunStatus.NEEDS_ATTENTION, 0),
        "critical_alerts": alerts_by.get(HealthStatus.CRITICAL.value, 0),
        "warning_alerts": alerts_by.get(HealthStatus.WARNING.value, 0),
        **recovery.counts(since),
        "silenced_alerts": firing.filter(silence__isnull=False).count(),
        "waiting_approvals": sum(count for (_, kind, _e), count in opened.items() if kind == "approval"),
        "success_rate": round(completed / total_ended, 4) if total_ended else None,
        "error_rate": round(1 - completed / total_ended, 4) if total_ended else None,
        "average_duration_seconds": round(sum(durations) / len(durations), 3) if durations else None,
        "p95_duration_seconds": round(durations[int(0.95 * (len(durations) - 1))], 3) if durations else None,
        "oldest_waiting_seconds": round((now - oldest).total_seconds(), 1) if oldest else None,
        "throughput_per_hour": round(total_ended / WINDOW_HOURS, 3),
    }


def _oldest_waiting(now: datetime) -> datetime | None:
    """Since when the oldest of the attempts that are next to be taken waits for a worker."""
    ready = Command.objects.filter(kind="run_action", status=Command.READY, due_at__lte=now)
    return min(ready.order_by("queue", "turn", "id").values_list("due_at", flat=True)[:MOST_READY], default=None)


def _health(since: datetime) -> Counter[str]:
    """Of open runs, and of those that ended within the window: two queries, each by an index of its own."""
    found: Counter[str] = Counter()
    opened = RunHealth.objects.filter(ended=False).order_by().values_list("status").annotate(count=Count("pk"))
    ended = Run.objects.filter(finished_at__gt=since, health__ended=True).order_by().values_list("health__status")
    for status, count in [*opened, *ended.annotate(count=Count("pk"))]:
        found[status] += count
    return found


def _workers(now: datetime) -> list[dict[str, Any]]:
    return [
        {"name": row.name, "engine": row.engine, "alive": row.lease_until > now, "lease_until": iso(row.lease_until)}
        for row in Worker.objects.order_by("-lease_until", "name")[:100]
    ]
