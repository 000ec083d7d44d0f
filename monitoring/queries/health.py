"""A run's health as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from foundation.clock import iso
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.health import Health, Issue, Recommendation
from monitoring.models import RunHealth


def issue_view(issue: Issue) -> dict[str, Any]:
    """An issue as it is stored and shown; `since` in ISO 8601, `act` None where there is nothing to do."""
    act = issue.act
    told = None
    if act is not None:
        told = {
            "action": act.action.value if act.action else None, "verb": act.verb or None,
            "step_id": act.step_id or None, "text": act.text,
        }  # fmt: skip
    return {
        "code": issue.code,
        "severity": issue.severity.value,
        "sentence": issue.sentence,
        "step_id": issue.step_id or None,
        "since": iso(issue.since),
        "target": issue.target,
        "error_fp": issue.error_fp,
        "error_class": issue.error_class,
        "act": told,
    }


def kept_health(row: RunHealth) -> Health:
    """The health as it was stored."""
    return Health(
        status=HealthStatus(row.status), issues=tuple(_issue(view) for view in row.issues), look_at=row.look_at
    )


def _issue(view: Mapping[str, Any]) -> Issue:
    act = view.get("act")
    told = act and Recommendation(
        action=RecoveryAction(act["action"]) if act["action"] else None, verb=act["verb"] or "",
        step_id=act["step_id"] or "", text=act["text"],
    )  # fmt: skip
    return Issue(
        code=view["code"], severity=HealthStatus(view["severity"]), sentence=view["sentence"],
        step_id=view["step_id"] or "", since=datetime.fromisoformat(view["since"]), target=view["target"],
        error_fp=view["error_fp"], error_class=view["error_class"], act=told or None,
    )  # fmt: skip


def recommendations_in(issues: list[Mapping[str, Any]]) -> list[str]:
    """What to do about stored issues, worst first, each once."""
    return list(dict.fromkeys(one["act"]["text"] for one in issues if one.get("act") and one["act"]["text"]))


def health_view(row: RunHealth) -> dict[str, Any]:
    """The stored health of a run, `row.run` loaded."""
    return {
        "workflow_id": row.run.workflow_id,
        "status": row.status,
        "issues_detected": [one["sentence"] for one in row.issues],
        "recommendations": recommendations_in(row.issues),
        "issues": row.issues,
        "since": iso(row.since),
        "checked_at": iso(row.checked_at),
        "look_at": iso(row.look_at),
    }
