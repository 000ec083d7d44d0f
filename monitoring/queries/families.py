"""Every metric that Zen has: its kind, what it says, its labels.

`/metrics`, `queries.series` and the tests of the reference and of the files for Grafana and Prometheus go by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

COUNTER, HISTOGRAM, GAUGE = "counter", "histogram", "gauge"

SHORT = range(-10, 10)
"""Powers of two, of seconds: a millisecond to nine minutes."""

LONG = range(-8, 18)
"""4 ms to a day and a half."""


@dataclass(frozen=True, slots=True)
class Family:
    """`edges`: of a histogram, the exponents of two at which its buckets end. `kept`: of a gauge, whether its course is
    stored each minute."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    edges: range = SHORT
    kept: bool = False


_ALL = (
    Family("zen_build_info", GAUGE, "1, for the release that answers.", ("version",)),
    Family("zen_runs_open", GAUGE, "Runs that have not ended.", ("kind", "engine", "status"), kept=True),
    Family("zen_runs_started_total", COUNTER, "Runs that have begun.", ("kind", "saga_id", "engine")),
    Family("zen_runs_ended_total", COUNTER, "Runs that have ended.", ("kind", "saga_id", "engine", "status", "cause")),
    Family("zen_run_duration_seconds", HISTOGRAM, "From a run's begin to its end.", ("kind", "saga_id"), LONG),
    Family("zen_attempts_total", COUNTER, "Attempts that have ended.", ("engine", "action", "purpose", "outcome")),
    Family("zen_attempt_duration_seconds", HISTOGRAM, "What an attempt took.", ("engine", "action", "outcome"), LONG),
    Family("zen_attempt_wait_seconds", HISTOGRAM, "From when an attempt was due to when it began.", ("engine",)),
    Family("zen_commands_ready", GAUGE, "Attempts that are due and not taken.", ("engine",), kept=True),
    Family("zen_oldest_ready_seconds", GAUGE, "How long the oldest of them waits.", ("engine",), kept=True),
    Family("zen_messages_undelivered", GAUGE, "Acts that are stored and not delivered.", ("engine",)),
    Family("zen_workers_alive", GAUGE, "Workers whose lease holds.", ("engine",), kept=True),
    Family("zen_engine_up", GAUGE, "1 if the engine answers.", ("engine",)),
    Family("zen_outgoing_requests_total", COUNTER, "Requests to other services.", ("status_class",)),
    Family("zen_outgoing_request_duration_seconds", HISTOGRAM, "What such a request took."),
    Family("zen_breakers_open", GAUGE, "Hosts that the process that answers does not call for now."),
    Family("zen_approvals_open", GAUGE, "Requests that wait for people.", ("status",), kept=True),
    Family("zen_approvals_ended_total", COUNTER, "Requests that have ended.", ("status",)),
    Family("zen_approval_decision_seconds", HISTOGRAM, "From a request to its end.", (), LONG),
    Family("zen_notices_total", COUNTER, "Attempts to deliver a notice.", ("kind", "status")),
    Family("zen_health_runs", GAUGE, "Open runs by their health.", ("status",), kept=True),
    Family("zen_issues", GAUGE, "Issues of open runs that are not healthy.", ("code", "severity")),
    Family("zen_alerts", GAUGE, "Alerts that are firing: told, acknowledged, silenced.", ("rule", "severity", "state")),
    Family("zen_watch_lag_seconds", GAUGE, "How late the last pass of the watch was.", (), kept=True),
    Family("zen_watch_last_success_timestamp_seconds", GAUGE, "When the watch last came to an end."),
    Family("zen_watch_assessed_total", COUNTER, "Judgements of a run's health."),
    Family("zen_metrics_dropped_total", COUNTER, "What could not be measured: too many series, or no number."),
    Family("zen_log_lines_total", COUNTER, "Lines kept of attempts.", ("level",)),
    Family("zen_log_lines_dropped_total", COUNTER, "Lines of attempts that were not kept."),
    Family(
        "zen_recovery_attempts_total",
        COUNTER,
        "Changes of state of recovery's attempts.",
        ("policy_id", "action", "state"),
    ),
    Family("zen_recovery_circuits_open", GAUGE, "Circuits of recovery that are open."),
    Family("zen_recovery_reaction_seconds", HISTOGRAM, "From a failure to what recovery did about it.", (), LONG),
    Family("zen_pruned_rows_total", COUNTER, "Rows that were removed because of their age.", ("table",)),
    Family("zen_prune_lag_seconds", GAUGE, "How long the oldest run is overdue for its removal."),
    Family("zen_seal_age_seconds", GAUGE, "How old the last seal of the audit is."),
    Family("zen_http_requests_total", COUNTER, "Requests answered.", ("method", "route", "status_class")),
    Family("zen_http_request_duration_seconds", HISTOGRAM, "What an answer took.", ("route",)),
)
FAMILIES = {one.name: one for one in _ALL}


def nearest(name: str) -> list[str]:
    """Names like this one, the likeliest first, three at most."""
    return get_close_matches(name, FAMILIES, n=3, cutoff=0.4)
