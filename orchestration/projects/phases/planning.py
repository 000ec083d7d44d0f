"""The phases `analyze` and `plan`: what was asked for, and the saga of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.core.definition import DefinitionErrors
from orchestration.core.project import ProjectPlan, compile_tasks, planned, validate_plan
from orchestration.core.project.criteria import criteria_of
from orchestration.core.project.proposals import proposed
from orchestration.core.project.requirements import ledger
from orchestration.projects.phases.own_checks import OwnChecks
from orchestration.projects.phases.project import Project, project_of
from orchestration.runs.acts.rework import changes_wanted


def analyze(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """The requirement ledger, and which check proves each criterion, as far as the repository tells by now."""
    project = project_of(context)
    own = OwnChecks.of(project.repository, project.repository.base())
    return {
        "requirements": [{"id": one.requirement_id, "text": one.text} for one in ledger(project.spec)],
        "criteria": [
            {"id": one.criterion_id, "text": one.text, "kind": one.kind, "check": own.shown(one)}
            for one in criteria_of(project.spec)
        ],
        "test_command": own.tests(),
    }


def plan(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """The plan, its hash, which tasks serve which requirement, and `build`: the saga that performs it."""
    project = project_of(context)
    try:
        made = planned(project.spec) or validate_plan(proposed(str(payload.get("proposal") or "")), project.spec)
        made = _changed(made, project)
        definition = compile_tasks(made, project.config)
    except DefinitionErrors as errors:
        raise Refused(f"the plan is refused: {errors}") from None
    return {
        "plan": made.plain(),
        "plan_hash": made.plan_hash,
        "coverage": made.coverage(),
        "tasks": [one.task_id for one in made.tasks],
        "build": definition.model_dump(mode="json", exclude_unset=True),
    }


def _changed(made: ProjectPlan, project: Project) -> ProjectPlan:
    """With what people asked to be changed at its gate, which every agent is told."""
    words = changes_wanted(project.run, "plan")
    if not words:
        return made
    lines = "\n".join(f"- {one}" for one in words)
    return made.model_copy(update={"brief": f"{made.brief}\n\n## Changes that people asked for\n\n{lines}"})
