"""One run in figures: how it does, what it matches, what was told of it, and what happened."""

from __future__ import annotations

from typing import Any

from foundation.clock import iso
from foundation.identity.actor import Actor
from monitoring.core.conditions import matches, why
from monitoring.core.matching import Armed
from monitoring.health_check import check_health, judged_now
from monitoring.models import AlertMember
from monitoring.queries import recovery
from monitoring.queries.alerts import alert_view, alerts
from monitoring.recovery import policies
from monitoring.watch.judge import Judged
from orchestration.models import Event, Run
from orchestration.runs import get_run, run_log
from orchestration.runs.run_log.sentences import of_event

MOST_ALERTS, MOST_ATTEMPTS, MOST_EVENTS, MOST_ENTRIES = 50, 50, 200, 50


def run_dashboard(workflow_id: str, actor: Actor) -> dict[str, Any]:
    """The run's figures, health, alerts, policies, course and last log entries (docs/reference/monitoring.md).

    Raises:
        NotFound: there is no such run.
        NotAllowed: the actor may not see runs.
    """
    health = check_health(workflow_id, actor).as_json()
    run, metrics = get_run(workflow_id), health.pop("metrics")
    judged = judged_now(run)
    members = AlertMember.objects.filter(run_id=run.pk).values("alert_id")
    return {
        "workflow_id": workflow_id,
        "metrics": metrics,
        "health": health,
        "alerts": [alert_view(alert) for alert in alerts(state="").filter(pk__in=members)[:MOST_ALERTS]],
        "recoveries": recovery.views(recovery.attempts(run=workflow_id)[:MOST_ATTEMPTS]),
        "policies": [_policy(one, judged) for one in policies.armed() if _is_about(one, judged)],
        "timeline": _timeline(run),
        "recent_logs": run_log.latest_entries(run, MOST_ENTRIES),
    }


def _is_about(armed: Armed, judged: Judged) -> bool:
    return armed.policy.applies_to(judged.facts.kind, judged.facts.saga_id)


def _policy(armed: Armed, judged: Judged) -> dict[str, Any]:
    """`matches` None: a figure that decides it is not known."""
    return {
        "policy_id": armed.policy_id,
        "mode": armed.policy.mode,
        "matches": matches(armed.condition, judged.metrics),
        "since": iso(judged.matched.get(armed.policy_id)),
        "why": why(armed.condition, judged.metrics),
    }


def _timeline(run: Run) -> list[dict[str, Any]]:
    """The last changes of the run and its steps, the earlier ones first."""
    rows = list(Event.objects.filter(run_id=run.pk).order_by("-seq")[:MOST_EVENTS])
    return [
        {"at": iso(row.at), "what": of_event(row.kind, row.step_id, row.data), "status": row.kind.partition(".")[2]}
        for row in reversed(rows)
    ]
