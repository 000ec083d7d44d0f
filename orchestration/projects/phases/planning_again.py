"""The rest of a project once people want it planned again: by the agent that planned, where one did, with their words.

Tasks by hand and by rules are kept as they are, and their agents are told the words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.actions.base import Result
from orchestration.agents.workspace.history import merges
from orchestration.core.definition import DefinitionErrors
from orchestration.core.project import ProjectPlan, validate_plan
from orchestration.core.project.phases import CHANGES
from orchestration.core.project.proposals import proposed, rest_of
from orchestration.core.project.sagas.project import PROPOSAL, compile_proposal
from orchestration.models import Run
from orchestration.projects.phases.asking_agents import AskingStep, is_at_work, parked
from orchestration.projects.phases.project import output_of

MOST_QUESTIONS = 3
"""How often the agent is asked; then the tasks stay as they are."""
LONGEST_FAULTS = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """`plan`: what is left to be done. `again`: the tasks that stand for those of the names `replaced`, as JSON."""

    plan: ProjectPlan
    again: Mapping[str, Any] | None = None
    replaced: tuple[str, ...] = ()


def rest_planned_again(step: AskingStep) -> Rest | Result | None:
    """What people had planned again and is not merged; None where there is nothing, parked while the agent plans."""
    project, before = step.project, step.project.output(CHANGES)
    in_force = {one.task for one in merges(project.repository) if one.run == project.run.workflow_id}
    if before.get("again"):
        plan = ProjectPlan.model_validate(before["again"])
        left = [one.task_id for one in plan.tasks if one.task_id not in in_force]
        return Rest(plan=_only(plan, left), again=before["again"], replaced=tuple(before["replaced"]))
    build = Run.objects.filter(parent=project.run, parent_step="build", kind__in=Run.SAGAS).order_by("id").last()
    made = project.output("plan").get("plan")
    if build is None or not made:
        return None
    plan = ProjectPlan.model_validate(made)
    outputs = {one.task_id: output_of(build, one.task_id) for one in plan.tasks}
    said = [one for one in outputs.values() if one.get("verdict") == "replanned"]
    names = [name for name, one in outputs.items() if one.get("verdict") == "replanned" and name not in in_force]
    if not names:
        return None
    words = next((str(one.get("why") or "") for one in said), "")
    if project.output("plan").get("planner") == "agent":
        again = _asked(step, plan, names, in_force, words)
        if isinstance(again, Result):
            return again
        if again is not None:
            return Rest(plan=_told(again, words), again=again.plain(), replaced=tuple(names))
    return Rest(plan=_told(_only(plan, names), words))


def _asked(
    step: AskingStep, plan: ProjectPlan, names: Collection[str], in_force: Collection[str], words: str
) -> ProjectPlan | Result | None:
    """The agent's tasks in place of those; None where it gave none that can be taken."""
    spec, asked, faults = step.project.spec, step.asked(), ""
    if asked and is_at_work(asked[-1]):
        return parked(f"the rest is planned again, in run '{asked[-1].workflow_id}'")
    kept = [one.model_dump(mode="json") for one in plan.tasks if one.task_id not in names]
    for one in asked:
        try:
            answer = proposed(str(output_of(one, PROPOSAL).get("text") or ""))
            given = answer.get("tasks") if isinstance(answer, dict) else None
            together = validate_plan({"tasks": [*kept, *(given if isinstance(given, list) else ())]}, spec)
            return _only(together, [task.task_id for task in together.tasks[len(kept) :]])
        except DefinitionErrors as errors:
            faults = str(errors)[:LONGEST_FAULTS]
    if len(asked) >= MOST_QUESTIONS:
        return None
    done = [one for one in plan.tasks if one.task_id in in_force]
    left = [one for one in plan.tasks if one.task_id in names]
    rest = rest_of(done, left, words)
    step.ask(compile_proposal(spec, step.project.config, faults=faults, rest=rest), number=len(asked) + 1)
    return parked("the rest is planned again by the agent that planned")


def _only(plan: ProjectPlan, names: Collection[str]) -> ProjectPlan:
    """These tasks of a plan, which wait for none of the others."""
    tasks = [
        one.model_copy(update={"dependencies": tuple(name for name in one.dependencies if name in names)})
        for one in plan.tasks
        if one.task_id in names
    ]
    gates = tuple(gate for gate in plan.gates if gate.task_id in names)
    return plan.model_copy(update={"tasks": tuple(tasks), "gates": gates})


def _told(plan: ProjectPlan, words: str) -> ProjectPlan:
    if not words:
        return plan
    return plan.model_copy(update={"brief": f"{plan.brief}\n\n## What people said about the rest\n\n{words}"})
