"""What needs somebody now: the state of the site in a sentence, and the runs and alerts that nobody is on yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from foundation.clock import database_now
from monitoring.core.enums import HealthStatus
from monitoring.models import Alert, RunHealth
from monitoring.queries.alerts import alerts
from monitoring.queries.lists import runs_by_health
from monitoring.queries.overview import WINDOW_HOURS

MOST_RUNS, MOST_ALERTS = 10, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`tone`: good, warn or bad."""

    tone: str
    sentence: str


def state_of_the_site(data: Mapping[str, Any]) -> State:
    """The dashboard's data in one sentence; what is wrong with the site itself comes first."""
    summary, grave = data["summary"], [one for one in data["site"] if one["severity"] == HealthStatus.CRITICAL]
    told = _open(summary)
    if grave:
        return State(tone="bad", sentence=_sentence(grave[0]["sentence"]))
    if not data["monitoring"]["enabled"]:
        return State(tone="warn", sentence=f"Monitoring is off (WORKFLOW_MONITORING_ENABLED); {told}.")
    critical, warning = summary["critical_workflows"], summary["warning_workflows"] + summary["unknown_workflows"]
    if critical:
        runs = "1 run does" if critical == 1 else f"{critical:,} runs do"
        return State(tone="bad", sentence=f"{runs} not go on without somebody; {told}.")
    if data["site"]:
        return State(tone="warn", sentence=_sentence(data["site"][0]["sentence"]))
    if warning:
        runs = "1 run has" if warning == 1 else f"{warning:,} runs have"
        return State(tone="warn", sentence=f"{runs} trouble that may mend itself; {told}.")
    return State(tone="good", sentence=f"All is well: {told}.")


def _open(summary: Mapping[str, Any]) -> str:
    number, ended = summary["open_workflows"], summary["completed_workflows"] + summary["failed_workflows"]
    runs = "1 run is open" if number == 1 else f"{number:,} runs are open"
    share = f", {100 * summary['success_rate']:.4g} % of them completed" if summary["success_rate"] is not None else ""
    return f"{runs}, {ended:,} ended within a day{share}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def troubled_runs() -> list[RunHealth]:
    """The runs that do not go on without somebody, open ones and those that ended within the day; the latest first."""
    since = database_now() - timedelta(hours=WINDOW_HOURS)
    now = Q(ended=False) | Q(run__finished_at__gt=since)
    return list(runs_by_health(status=HealthStatus.CRITICAL).filter(now)[:MOST_RUNS])


def alerts_to_take() -> list[Alert]:
    """The firing alerts that are told and that nobody has acknowledged, the worst first."""
    return list(alerts().filter(acked_at=None, silence=None, inhibited_by=None)[:MOST_ALERTS])
