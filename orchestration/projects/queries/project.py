"""A project as one JSON object: the run's own, and what makes it a project."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q

from foundation.errors import NotFound
from orchestration.core.deployment import warnings_of
from orchestration.core.enums import StepStatus
from orchestration.core.project.phases import PHASES
from orchestration.core.project.spec_checks import warnings_of_budgets
from orchestration.models import AgentAttempt, Run
from orchestration.projects.queries.family import Family, family_of, output_in
from orchestration.projects.queries.gates import gate_views
from orchestration.projects.queries.ledger import criteria_views, requirements_of
from orchestration.projects.queries.numbers import cost, forecast, progress
from orchestration.projects.queries.tasks import attempt_row, task_statuses, tasks_of
from orchestration.runs.queries import run_view

TOKENS = ("input", "output", "cached")
SETTLED = (StepStatus.SUCCEEDED, StepStatus.SKIPPED)


def get_project(workflow_id: str) -> Run:
    """The run of a project.

    Raises:
        NotFound: there is no such run, or it is no project.
    """
    run = Run.objects.select_related("definition").filter(workflow_id=workflow_id).first()
    if run is None or run.kind != Run.PROJECT:
        what = "there is no project" if run is None else f"the run is a {run.kind}, and no project:"
        remedy = f"see `manage.py runs list --kind {Run.PROJECT}`"
        raise NotFound(f"{what} '{workflow_id[:200]}'", field="workflow_id", remedy=remedy)
    return run


def project_view(run: Run) -> dict[str, Any]:
    """The run's object, and phase, progress, cost, forecast, tasks, requirements, criteria and gates."""
    return _project(family_of(run))


def page_view(run: Run) -> dict[str, Any]:
    """`project_view`, and what its page shows besides: phases, attempts at each task, evidence, endpoints, deployment.

    The number of queries does not depend on how many tasks there are.
    """
    family = family_of(run)
    project = _project(family)
    return {
        **project,
        "phases": _phases(family.view),
        "attempts": {one["task_id"]: family.attempts_of(one["task_id"]) for one in project["tasks"]},
        "evidence": _evidence(family),
        "endpoints": _spent_by(family, "endpoint_name"),
        "deployment": _deployment(family.run),
    }


def _deployment(run: Run) -> dict[str, Any] | None:
    """The latest run that deploys the project, in its phase or by `project deploy`; None before there is one."""
    by_hand = Q(workflow_id__startswith=f"{run.workflow_id}.deploy-", parent=None)
    whole = Run.objects.select_related("definition")
    found = whole.filter(Q(parent=run, parent_step="deploy") | by_hand).order_by("-id").first()
    if found is None:
        return None
    return {"run": found, "address": output_in(run_view(found), "release").get("address")}


def _phases(view: Mapping[str, Any]) -> list[dict[str, str]]:
    steps = {step["step_id"]: step for step in view["steps"]}
    here = phase_of(view)
    return [
        {
            "name": phase,
            "status": steps[phase]["status"],
            "undone": steps[phase]["compensation"]["status"],
            "here": "yes" if phase == here and not view["finished_at"] else "",
        }
        for phase in PHASES
        if phase in steps
    ]


def _project(family: Family) -> dict[str, Any]:
    plan = family.plan()
    statuses = task_statuses(family, plan)
    requirements, criteria = requirements_of(family, plan, statuses), criteria_views(family)
    numbers = progress(statuses, requirements, criteria)
    told = warnings_of(family.config.deployed(family.view["workflow_id"]))
    told += warnings_of_budgets(family.spec, family.config.cap)
    return {
        **family.view,
        "warnings": [*family.view["warnings"], *told, *_planned_by_rules(family), *_other_branch(family)],
        "project_id": family.spec.project_id,
        "name": family.spec.name,
        "phase": phase_of(family.view),
        "progress": numbers,
        "cost": cost(family),
        "forecast": forecast(family, numbers),
        "tasks": tasks_of(family, plan),
        "requirements": requirements,
        "criteria": criteria,
        "gates": gate_views(family),
    }


def _planned_by_rules(family: Family) -> list[str]:
    """That the rules made the plan, though an agent was to."""
    made = family.output("plan")
    if made.get("planner") != "rules" or family.spec.planner != "agent":
        return []
    refused = made.get("refused") or [""]
    return [f"the agent's plans were refused {len(refused)} times, so the rules made the plan; last: {refused[-1]}"]


def _other_branch(family: Family) -> list[str]:
    """That its branch has another name, since the repository had other work under the usual one."""
    branch, usual = family.output("report").get("branch"), f"zen/{family.spec.project_id}"
    if not branch or branch == usual:
        return []
    return [f"the repository has other work as branch '{usual}', so the project's is '{branch}'"]


def phase_of(view: Mapping[str, Any]) -> str:
    """The phase in hand: the first one that has not ended; the last one of a project that has."""
    ids = [str(step["step_id"]) for step in view["steps"] if step["step_id"] in PHASES]
    steps = {step["step_id"]: step for step in view["steps"]}
    return next((phase for phase in ids if steps[phase]["status"] not in SETTLED), ids[-1])


def plan_view(run: Run) -> dict[str, Any]:
    """The plan as it was made; as it would be made, where the phase has not ended yet."""
    family = family_of(run)
    plan = family.plan()
    made = family.output("plan")
    return {
        "workflow_id": run.workflow_id,
        "planner": made.get("planner") or ("by_hand" if family.spec.tasks else family.spec.planner),
        "refused": made.get("refused") or [],
        "made": bool(made),
        "plan_hash": plan.plan_hash if plan is not None else None,
        "coverage": plan.coverage() if plan is not None else {},
        "tasks": [task.model_dump(mode="json") for task in plan.tasks] if plan is not None else [],
        "gates": [gate.model_dump(mode="json") for gate in plan.gates] if plan is not None else [],
    }


def task_views(run: Run) -> list[dict[str, Any]]:
    """Each task with the list of its attempts in the place of their number."""
    family = family_of(run)
    return [
        {**one, "attempts": [attempt_row(row) for row in family.attempts_of(one["task_id"])]}
        for one in tasks_of(family, family.plan())
    ]


def evidence_view(run: Run) -> dict[str, Any]:
    """What proves the project: criteria, our own checks, what was done to tests, and the signed pack."""
    return _evidence(family_of(run))


def _evidence(family: Family) -> dict[str, Any]:
    verified, reported = family.output("verify"), family.output("report")
    return {
        "workflow_id": family.run.workflow_id,
        "commit": verified.get("commit"),
        "evidence_digest": verified.get("evidence_digest"),
        "criteria": criteria_views(family),
        "checks": verified.get("checks", []),
        "tampering": verified.get("tampering", []),
        "pack": reported.get("pack"),
        "hash": reported.get("hash"),
        "signature": reported.get("signature"),
    }


def costs_view(run: Run) -> dict[str, Any]:
    """What the agents have spent: in all, by task and by endpoint."""
    family = family_of(run)
    by_task, by_endpoint = _spent_by(family, "step_id"), _spent_by(family, "endpoint_name")
    return {"workflow_id": run.workflow_id, **cost(family), "tasks": by_task, "endpoints": by_endpoint}


def _spent_by(family: Family, name: str) -> list[dict[str, Any]]:
    rows: dict[str, list[AgentAttempt]] = {}
    for one in family.attempts:
        rows.setdefault(str(getattr(one, name)), []).append(one)
    return [
        {
            "name": key,
            "attempts": len(found),
            "spent": str(sum((one.cost or Decimal(0) for one in found), Decimal(0))),
            "tokens": {kind: sum(getattr(one, f"{kind}_tokens") for one in found) for kind in TOKENS},
        }
        for key, found in rows.items()
    ]
