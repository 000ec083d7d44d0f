"""What people asked to be changed after it was built: a task for their words, merged and verified as any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foundation.clock import now
from foundation.db import statements
from orchestration.actions.base import Result
from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.core.enums import Cause, Outcome, RunStatus
from orchestration.core.project import ProjectPlan, compile_tasks
from orchestration.core.project.brief import brief_of
from orchestration.core.project.criteria import criteria_of
from orchestration.core.project.phases import CHANGES, REWORK
from orchestration.core.project.plan import PlanTask, plan_in_force
from orchestration.core.project.requirements import ledger
from orchestration.core.project.sagas.acceptance import MOST_ROUNDS
from orchestration.core.project.sagas.tasks import nothing_to_do
from orchestration.core.saga.events import AbortRequested
from orchestration.ledger.run_end import post
from orchestration.ledger.store import load_state
from orchestration.models import Message, Run
from orchestration.projects.phases.asking_agents import AskingStep
from orchestration.projects.phases.planning_again import rest_planned_again
from orchestration.projects.phases.project import Project, project_of
from orchestration.runs.acts.rework import changes_wanted
from orchestration.runs.delivery import deliver
from orchestration.runs.external import ask_for_rework

LOOK_SECONDS = 1.0
LONGEST_TITLE = 200


def changes(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any] | Result:
    """`tasks`: one for each time that people asked for changes; `rework`: the saga of the latest, or of nothing.

    `again`: the tasks that an agent planned in place of those that are `replaced`; parked while it plans. `plan_hash`,
    `coverage` and `in_words`: of the plan as it is in force then.
    """
    project = project_of(context)
    rest = rest_planned_again(AskingStep(project=project, context=context))
    if isinstance(rest, Result):
        return rest
    spec, words = project.spec, changes_wanted(project.run, CHANGES, itself=True)
    tasks = tuple(_task(project, number, one) for number, one in enumerate(words, 1))
    plan = ProjectPlan(
        project_id=spec.project_id, brief=brief_of(spec), requirements=ledger(spec), tasks=tasks[-1:]
    )  # fmt: skip
    plan = rest.plan.model_copy(update={"tasks": (*rest.plan.tasks, *plan.tasks)}) if rest is not None else plan
    saga = compile_tasks(plan, project.config) if plan.tasks else nothing_to_do(f"{spec.project_id[:90]}.{REWORK}")
    told = {
        "changes": list(words),
        "tasks": [one.model_dump(mode="json") for one in tasks],
        "rework": saga.model_dump(mode="json", exclude_unset=True),
        "again": rest.again if rest is not None else None,
        "replaced": list(rest.replaced) if rest is not None else [],
    }
    in_force = plan_in_force(project.output("plan"), told)
    if in_force is None:
        return told
    in_words = in_force.in_words(changes_wanted(project.run, "plan"))
    return told | {"plan_hash": in_force.plan_hash, "coverage": in_force.coverage(), "in_words": in_words}


def nothing(payload: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Where nothing is to be done."""
    return {}


def sent_back(
    project: Project, refused: Sequence[str], comments: Sequence[Mapping[str, Any]]
) -> Result | dict[str, Any]:
    """What people want changed is asked for as changes of the project; parked until it has gone back to them.

    `refused`: what nothing proves and they do not take as met. The step belongs to a child of one of the project's
    steps that ask, which is begun anew then: nobody waits for this child.
    """
    child, home = project.step_run, project.run
    words = _words(project, refused, comments)
    asked = Message.objects.filter(run=home, message_id=f"rework:{child.pk}:1").first()
    if asked is None:
        if len(changes_wanted(home, CHANGES, itself=True)) >= MOST_ROUNDS:
            raise Refused(f"{_not_taken(refused)}, and it was reworked {MOST_ROUNDS} times already")
        by = ", ".join(str(one["name"]) for one in comments if one.get("name")) or "those who decide"
        with statements.writing():
            asked = ask_for_rework(child, CHANGES, number=1, words=words, by=by, asker=child.parent_step)
    current = load_state(Run.objects.get(pk=home.pk)).step(child.parent_step).iteration
    if current > child.parent_iteration:
        return {"project_id": project.spec.project_id, "accepted": [], "sent_back": list(refused)}
    if asked is not None and (refusal := Message.objects.get(pk=asked.pk).refusal):
        raise Refused(f"{_not_taken(refused)}; {refusal}")
    return Result(outcome=Outcome.PARKED, error="it is sent back for changes", retry_after=LOOK_SECONDS)


def leave(child: Run) -> Result:
    """End a child that nobody waits for, since the step that it belongs to was begun anew; parked until it has."""
    event = AbortRequested(at=now(), cause=Cause.CANCELLED, by="parent run")
    below = [one for one in child.children.all() if not RunStatus(one.status).is_end]
    with statements.writing():
        told = [post(one, event, message_id=f"sent-back:{one.pk}") for one in (*below, child)]
    for message in told:
        deliver(message)
    return Result(outcome=Outcome.PARKED, error="its project has gone back", retry_after=LOOK_SECONDS)


def _not_taken(refused: Sequence[str]) -> str:
    return f"not accepted: {', '.join(refused)}" if refused else "changes were asked for"


def _words(project: Project, refused: Sequence[str], comments: Sequence[Mapping[str, Any]]) -> str:
    texts = {one.criterion_id: one.text for one in criteria_of(project.spec)}
    why = {one["id"]: one["why"] for one in project.output("verify").get("unproved", ())}
    lines = [f"{one} is not accepted: {texts.get(one, '')} ({why.get(one, '')})" for one in refused]
    return "\n".join([*lines, *(str(one.get("comment") or "") for one in comments)])[:10_000]


def _task(project: Project, number: int, words: str) -> PlanTask:
    spec = project.spec
    return PlanTask(
        task_id=f"{REWORK}-{number}",
        title=f"Changes: {' '.join(words.split())}"[:LONGEST_TITLE],
        prompt=f"People have looked at what was built, and asked for these changes:\n\n{words}",
        agent_type=spec.agents_required[0],
        checks=tuple(dict.fromkeys(spec.checks)),
    )
