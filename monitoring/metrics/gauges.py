"""How high each gauge is now, by indexes; nothing counts over all history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Case, Count, Value, When

from approvals.core.enums import OPEN
from approvals.models import Request
from foundation.clock import database_now
from foundation.db import statements
from foundation.models import AuditSeal
from foundation.outbound import circuit_breaker
from foundation.telemetry import release
from monitoring.core.enums import HealthStatus
from monitoring.models import Alert, Circuit, Loop, RunHealth
from orchestration.models import Run, Worker

Gauge = tuple[str, dict[str, str], float]
MOST_TROUBLED = 5000
"""Runs whose issues are counted; with more in trouble the figure says at least so many."""

HEARD_WITHIN = timedelta(seconds=60)


_READY = """
SELECT r.engine, COUNT(*), MIN(c.due_at) FROM orchestration_command c CROSS JOIN orchestration_run r
WHERE r.id = c.run_id AND c.status = 'ready' AND c.kind = 'run_action' AND c.due_at <= %s GROUP BY r.engine
"""
_UNDELIVERED = """
SELECT r.engine, COUNT(*) FROM orchestration_message m CROSS JOIN orchestration_run r
WHERE r.id = m.run_id AND m.delivered_at IS NULL GROUP BY r.engine
"""
"""Joined in this order: SQLite reads the left table of a CROSS JOIN first, by its partial index, and never all runs."""


def gauges() -> list[Gauge]:
    """Name, labels and value of each."""
    return [gauge for read in _READERS for gauge in read()]


def _engines() -> list[str]:
    return ["celery", *(["temporal"] if settings.TEMPORAL_ADDRESS else [])]


def _build() -> Iterator[Gauge]:
    yield "zen_build_info", {"version": release()}, 1


def _runs() -> Iterator[Gauge]:
    rows = Run.objects.filter(finished_at=None).order_by().values_list("status", "kind", "engine")
    for status, kind, engine, many in rows.annotate(many=Count("pk")):
        yield "zen_runs_open", {"kind": kind, "engine": engine, "status": status}, many


def _commands() -> Iterator[Gauge]:
    now = database_now()
    rows, *_ = statements.rows_of(statements.Statement(_READY, [statements.moment(now)]))
    found = {engine: (many, (now - statements.as_moment(oldest)).total_seconds()) for engine, many, oldest in rows}
    for engine in dict.fromkeys([*_engines(), *found]):
        many, seconds = found.get(engine, (0, 0.0))
        yield "zen_commands_ready", {"engine": engine}, many
        yield "zen_oldest_ready_seconds", {"engine": engine}, seconds


def _messages() -> Iterator[Gauge]:
    rows, *_ = statements.rows_of(statements.Statement(_UNDELIVERED, []))
    found: dict[str, int] = dict(rows)
    for engine in dict.fromkeys([*_engines(), *found]):
        yield "zen_messages_undelivered", {"engine": engine}, found.get(engine, 0)


def _workers() -> Iterator[Gauge]:
    alive = Worker.objects.filter(lease_until__gt=database_now()).values_list("engine", flat=True)
    found = Counter(alive)
    for engine in dict.fromkeys([*_engines(), *found]):
        yield "zen_workers_alive", {"engine": engine}, found[engine]


def _breakers() -> Iterator[Gauge]:
    yield "zen_breakers_open", {}, sum(state != "closed" for state in circuit_breaker.states().values())


def _approvals() -> Iterator[Gauge]:
    found = dict(Request.objects.filter(status__in=OPEN).order_by().values_list("status").annotate(Count("pk")))
    for status in OPEN:
        yield "zen_approvals_open", {"status": status.value}, found.get(status.value, 0)


def _health() -> Iterator[Gauge]:
    found = dict(RunHealth.objects.filter(ended=False).order_by().values_list("status").annotate(Count("pk")))
    for status in HealthStatus:
        yield "zen_health_runs", {"status": status.value}, found.get(status.value, 0)
    troubled = RunHealth.objects.filter(ended=False).exclude(status=HealthStatus.HEALTHY).order_by()
    counted = Counter(
        (one["code"], one["severity"])
        for issues in troubled.values_list("issues", flat=True)[:MOST_TROUBLED]
        for one in issues
    )
    for (code, severity), many in sorted(counted.items()):
        yield "zen_issues", {"code": code, "severity": severity}, many


def _alerts() -> Iterator[Gauge]:
    state = Case(
        When(silence__isnull=False, then=Value("silenced")), When(inhibited_by__isnull=False, then=Value("inhibited")),
        When(acked_at__isnull=False, then=Value("acknowledged")), default=Value("firing"),
    )  # fmt: skip
    rows = Alert.objects.filter(state=Alert.FIRING).order_by().annotate(now=state)
    for rule, severity, now, many in rows.values_list("rule__name", "severity", "now").annotate(Count("pk")):
        yield "zen_alerts", {"rule": rule, "severity": severity, "state": now}, many


def _watch() -> Iterator[Gauge]:
    loops = {row.name: row for row in Loop.objects.filter(name__in=("watch", "site", "prune"))}
    watch, site = loops.get("watch"), loops.get("site")
    if watch is not None and watch.at is not None:
        yield "zen_watch_lag_seconds", {}, watch.lag
        yield "zen_watch_last_success_timestamp_seconds", {}, watch.at.timestamp()
    if (prune := loops.get("prune")) is not None and prune.at is not None:
        yield "zen_prune_lag_seconds", {}, prune.lag
    if site is not None and site.at is not None and site.at > database_now() - HEARD_WITHIN:
        away = site.detail.get("away") or {}
        for engine in _engines():
            yield "zen_engine_up", {"engine": engine}, float(engine not in away)


def _recovery() -> Iterator[Gauge]:
    yield "zen_recovery_circuits_open", {}, Circuit.objects.filter(open_until__gt=database_now()).count()


def _seal() -> Iterator[Gauge]:
    at = AuditSeal.objects.order_by("-number").values_list("at", flat=True).first()
    if at is not None:
        yield "zen_seal_age_seconds", {}, max(0.0, (database_now() - at).total_seconds())


_READERS: tuple[Callable[[], Iterator[Gauge]], ...] = (
    _build, _runs, _commands, _messages, _workers, _breakers, _approvals, _health, _alerts, _watch, _recovery, _seal,
)  # fmt: skip
