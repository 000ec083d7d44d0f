"""Judge one run now: its health, what to do, and what it comes to in figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from foundation.clock import iso
from foundation.errors import NotFound
from foundation.identity.actor import Actor
from monitoring.core.conditions.answers import shown
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.health import Health, Issue
from monitoring.models import RunHealth
from monitoring.performing import explain
from monitoring.performing.intended import may
from monitoring.queries.health import issue_view, kept_health
from monitoring.recovery import policies
from monitoring.watch.judge import Judged, judge
from monitoring.watch.site import away, look_if_nobody_does
from orchestration.models import Run
from orchestration.runs import get_run
from orchestration.runs.archive.views import archive_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How a run does, judged at `checked_at`; `look_at`: until when that holds by itself (None: for good).

    `issues_detected`, `recommendations`: sentences, the worst first. `metrics`: name → value, None where there is none.
    `recovery_actions_available`: what `trigger_recovery` would take now, besides NOTIFY and ESCALATE.
    """

    workflow_id: str
    status: HealthStatus
    issues_detected: list[str]
    recommendations: list[str]
    issues: list[Issue]
    metrics: dict[str, Any]
    checked_at: datetime
    look_at: datetime | None
    recovery_actions_available: list[RecoveryAction] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same as one JSON object, as REST and the console give it."""
        return {
            "workflow_id": self.workflow_id,
            "status": self.status.value,
            "issues_detected": self.issues_detected,
            "recommendations": self.recommendations,
            "issues": [issue_view(issue) for issue in self.issues],
            "metrics": self.metrics,
            "checked_at": iso(self.checked_at),
            "look_at": iso(self.look_at),
            "recovery_actions_available": [action.value for action in self.recovery_actions_available],
        }


def check_health(workflow_id: str, actor: Actor) -> HealthCheck:
    """The health of a run at this moment, from its rows; of a condensed one as it was last. It stores nothing.

    Raises:
        NotFound: there is no such run.
        NotAllowed: the actor may not see runs.
    """
    run = get_run(workflow_id)
    look_if_nobody_does()
    judged = judged_now(run)
    facts, health = judged.facts, _kept(run) or judged.health
    return HealthCheck(
        workflow_id=run.workflow_id, status=health.status, issues=list(health.issues),
        issues_detected=[issue.sentence for issue in health.issues], recommendations=list(health.recommendations),
        metrics=figures(judged), checked_at=facts.now, look_at=health.look_at,
        recovery_actions_available=may(actor, judged.candidate),
    )  # fmt: skip


def recovery_of(workflow_id: str) -> list[str]:
    """What recovery has done about a run, and why the policies that match do no more, in sentences.

    Raises:
        NotFound: there is no such run.
    """
    return explain.lines(judged_now(get_run(workflow_id)).candidate, policies.armed())


def judged_now(run: Run) -> Judged:
    """The run's facts, health and figures at this moment, with the policies that it matches.

    Raises:
        NotFound: it was removed meanwhile.
    """
    found = judge([run.pk], away(), armed=policies.armed(), every_figure=True)
    if not found:
        raise NotFound(f"there is no run '{run.workflow_id}'", field="workflow_id")
    return found[0]


def _kept(run: Run) -> Health | None:
    """The last judgement of a condensed run, whose attempts are gone; None of any other."""
    row = RunHealth.objects.filter(pk=run.pk).first() if archive_of(run) else None
    return kept_health(row) if row is not None else None


def figures(judged: Judged) -> dict[str, Any]:
    """Every metric as JSON; None where it has no value."""
    return {name: shown(value) for name, value in sorted(judged.metrics.values.items())}
