"""The phases `analyze` and `plan`: what was asked for, and the saga of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.actions.base import Result
from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.agents.workspace.history import merges
from orchestration.core.definition import DefinitionErrors
from orchestration.core.project import ProjectPlan, compile_tasks, planned, validate_plan
from orchestration.core.project.criteria import criteria_of
from orchestration.core.project.proposals import proposed
from orchestration.core.project.requirements import ledger
from orchestration.core.project.rules_planner import plan_by_rules
from orchestration.core.project.sagas.project import PROPOSAL, compile_proposal
from orchestration.models import Run
from orchestration.projects.phases.asking_agents import AskingStep, is_at_work, parked
from orchestration.projects.phases.own_checks import OwnChecks
from orchestration.projects.phases.project import Project, output_of, project_of
from orchestration.runs.acts.rework import changes_wanted

MOST_QUESTIONS = 2
"""How often a planning agent whose plan has faults is asked anew, with the faults."""
LONGEST_FAULTS = 8000


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


def plan(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any] | Result:
    """The plan, its hash, which tasks serve which requirement, and `build`: the saga that performs it.

    Parked while the planning agent is asked anew. `planner`: who made it; `refused`: why plans before it were not
    taken. `merged`: the tasks that are left out of `build`, since they are merged already.
    """
    project = project_of(context)
    try:
        found = _made(payload, AskingStep(project=project, context=context))
        if isinstance(found, Result):
            return found
        made = _changed(found.plan, project)
        merged = _merged(made, project)
        definition = compile_tasks(made, project.config, merged=merged, of_all=False)
    except DefinitionErrors as errors:
        raise Refused(f"the plan is refused: {errors}") from None
    return {
        "planner": found.planner,
        "refused": list(found.refused),
        "plan": made.plain(),
        "plan_hash": made.plan_hash,
        "coverage": made.coverage(),
        "in_words": made.in_words(changes_wanted(project.run, "plan")),
        "tasks": [one.task_id for one in made.tasks],
        "merged": merged,
        "build": definition.model_dump(mode="json", exclude_unset=True),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    plan: ProjectPlan
    planner: str
    refused: tuple[str, ...] = ()


def _made(payload: Mapping[str, Any], step: AskingStep) -> _Made | Result:
    """The plan that is known beforehand, or the agent's; with faults it is asked anew, and then the rules plan."""
    spec = step.project.spec
    known = planned(spec)
    if known is not None:
        return _Made(plan=known, planner="by_hand" if spec.tasks else "rules")
    asked = step.asked()
    if asked and is_at_work(asked[-1]):
        return parked(f"the planning agent is asked anew, in run '{asked[-1].workflow_id}'")
    answers = [str(payload.get("proposal") or ""), *(_answer(one) for one in asked)]
    refused: list[str] = []
    for answer in answers:
        try:
            return _Made(plan=validate_plan(proposed(answer), spec), planner="agent", refused=tuple(refused))
        except DefinitionErrors as errors:
            refused.append(str(errors)[:LONGEST_FAULTS])
    if len(asked) < MOST_QUESTIONS:
        step.ask(compile_proposal(spec, step.project.config, faults=refused[-1]), number=len(asked) + 1)
        return parked(f"the planning agent is asked anew: {refused[-1]}")
    plain = [one.model_dump(mode="json", exclude_unset=True) for one in plan_by_rules(spec)]
    return _Made(plan=validate_plan({"tasks": plain}, spec), planner="rules", refused=tuple(refused))


def _merged(made: ProjectPlan, project: Project) -> list[str]:
    """The tasks that are merged already as this plan has them: an agent would find nothing to do."""
    before = {one["task_id"]: one for one in (project.output("plan").get("plan") or {}).get("tasks", ())}
    in_force = {one.task for one in merges(project.repository) if one.run == project.run.workflow_id}
    plain = {one.task_id: one.model_dump(mode="json") for one in made.tasks}
    return [name for name, task in plain.items() if name in in_force and before.get(name) == task]


def _answer(asked: Run) -> str:
    return str(output_of(asked, PROPOSAL).get("text") or "")


def _changed(made: ProjectPlan, project: Project) -> ProjectPlan:
    """With what people asked to be changed at its gate, which every agent is told."""
    words = changes_wanted(project.run, "plan")
    if not words:
        return made
    lines = "\n".join(f"- {one}" for one in words)
    return made.model_copy(update={"brief": f"{made.brief}\n\n## Changes that people asked for\n\n{lines}"})
