"""The requirement ledger and the criteria, with what proves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.core.project import ProjectPlan
from orchestration.core.project.criteria import CriterionStatus, criteria_of
from orchestration.core.project.requirements import TaskStatus, ledger, requirement_status
from orchestration.projects.queries.family import Family, output_in


def requirements_of(
    family: Family, plan: ProjectPlan | None, statuses: Mapping[str, TaskStatus]
) -> list[dict[str, Any]]:
    """R1, R2 …: its text, the tasks that serve it, and how far it is."""
    serving = plan.coverage() if plan is not None and family.output("plan") else {}
    return [
        {
            "id": one.requirement_id,
            "text": one.text,
            "tasks": serving.get(one.requirement_id, []),
            "status": requirement_status([statuses[name] for name in serving.get(one.requirement_id, ())]).value,
        }
        for one in ledger(family.spec)
    ]


def criteria_views(family: Family) -> list[dict[str, Any]]:
    """C1, C2 …: its text, what proves it, whether it is proved or accepted, and by what or whom."""
    known = {one["id"]: one["check"] for one in family.output("analyze").get("criteria", ())}
    verified = {one["id"]: one for one in family.output("verify").get("criteria", ())}
    accepted = {one["id"]: one for one in output_in(family.children.get("accept", {}), "accept").get("accepted", ())}
    return [
        _criterion(one.criterion_id, one.text, one.command or known.get(one.criterion_id, ""), verified, accepted)
        for one in criteria_of(family.spec)
    ]


def _criterion(
    criterion_id: str, text: str, check: str, verified: Mapping[str, Any], accepted: Mapping[str, Any]
) -> dict[str, Any]:
    found = verified.get(criterion_id, {})
    view = {
        "id": criterion_id,
        "text": text,
        "check": found.get("check") or check or None,
        "status": found.get("status", CriterionStatus.OPEN.value),
        "why": found.get("why", ""),
        "evidence": found.get("evidence", {}),
    }
    if criterion_id in accepted:
        by = accepted[criterion_id]
        view |= {"status": by["status"], "evidence": {**view["evidence"], **by["evidence"]}}
    return view
