"""From the tasks that a planner or a person gives to a plan, or to every problem in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestration.core.agent.agent_type import AgentType
from orchestration.core.dag import circle_in
from orchestration.core.definition.problems import DefinitionErrors, Problem, did_you_mean
from orchestration.core.definition.shape import plain_json
from orchestration.core.likeness import bounded
from orchestration.core.paths import leads_outside
from orchestration.core.project.brief import brief_of
from orchestration.core.project.faults import fault, faults_of
from orchestration.core.project.gates import faults_of_named, plan_gates
from orchestration.core.project.phases import BRIEF, GATE, MERGE, REWORK
from orchestration.core.project.plan import PlanTask, ProjectPlan, Requirement
from orchestration.core.project.quantities.amounts import HOW, amount_of
from orchestration.core.project.requirements import ledger, requirement_ids
from orchestration.core.project.rules_planner import plan_by_rules
from orchestration.core.project.spec import MOST_TASKS, ProjectSpec, TaskSpec

Tasks = Sequence[TaskSpec]
MOST_MONEY = 1_000_000


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    INNER: ClassVar[Mapping[str, type[BaseModel]]] = {"tasks": TaskSpec}

    tasks: tuple[TaskSpec, ...] = Field(min_length=1, max_length=MOST_TASKS, description="a list of tasks")


def planned(spec: ProjectSpec) -> ProjectPlan | None:
    """The plan of a valid spec; None where an agent has yet to make it."""
    if spec.tasks:
        return _plan(spec, spec.tasks)
    return _plan(spec, plan_by_rules(spec)) if spec.planner == "rules" else None


@bounded
def validate_plan(data: object, spec: ProjectSpec) -> ProjectPlan:
    """The plan of the tasks that a planner gave: `data` is {"tasks": […]}, each as in the spec's own `tasks`.

    Raises:
        DefinitionErrors: with every problem found.
    """
    plain = plain_json(data, remedy="plan fewer tasks")
    if not isinstance(plain, dict):
        raise DefinitionErrors([fault("", plain, "is no mapping", "give {tasks: […]}")])
    try:
        tasks = _Given.model_validate(plain).tasks
    except ValidationError as error:
        raise DefinitionErrors(faults_of(error, _Given)) from None
    found = [*_faults(tasks, spec), *faults_of_named(spec, [(task.task_id, task.title, "") for task in tasks])]
    if found:
        raise DefinitionErrors(found)
    return _plan(spec, tasks)


def faults_of_tasks(spec: ProjectSpec) -> list[Problem]:
    """What is wrong with the tasks of a spec: those given by hand, or those that the rules make of it."""
    if spec.tasks:
        return [*_faults(spec.tasks, spec)]
    if spec.planner != "rules":
        return []
    return [_of_a_requirement(problem) for problem in _faults(plan_by_rules(spec), spec)]


def _of_a_requirement(problem: Problem) -> Problem:
    """The rules name tasks after requirements, so what is wrong is in the texts of those."""
    remedy = "let no requirement name one that names it, or give the plan by hand as `tasks`"
    return fault("requirements", problem.value, problem.message, remedy)


def _faults(tasks: Tasks, spec: ProjectSpec) -> Iterator[Problem]:
    requirements, served = ledger(spec), set[str]()
    ids = [task.task_id for task in tasks]
    yield from _ids(ids)
    for number, task in enumerate(tasks):
        at = f"tasks[{number}]"
        if not task.prompt.strip() and not task.title.strip() and not task.requirements:
            yield fault(f"{at}.prompt", None, "is missing", "say what the agent is to do, or which requirements")
        yield from _agent(at, task, spec)
        yield from _dependencies(at, task, ids)
        yield from _files(at, task)
        yield from _budget(at, task)
        found, unknown = requirement_ids(task.requirements, requirements)
        served |= set(found)
        known = [one.requirement_id for one in requirements]
        for word in unknown:
            yield fault(f"{at}.requirements", word, "is no requirement", did_you_mean(word, known, "they are"))
    yield from _unserved(requirements, served)
    yield from _circle(tasks, ids)


def _ids(ids: Sequence[str]) -> Iterator[Problem]:
    for task_id, count in Counter(ids).items():
        if count > 1:
            yield fault("tasks", task_id, f"is the id of {count} tasks", "give each task an id of its own")
        if task_id.endswith(MERGE) or task_id.startswith((GATE, f"{REWORK}-")) or task_id == BRIEF:
            remedy = f"'…{MERGE}', '{GATE}…', '{REWORK}-…' and '{BRIEF}' are taken"
            yield fault("tasks", task_id, "cannot be the id of a task", remedy)


def _agent(at: str, task: TaskSpec, spec: ProjectSpec) -> Iterator[Problem]:
    allowed = [AgentType(one).value for one in spec.agents_required]
    if task.agent_type is not None and task.agent_type not in spec.agents_required:
        remedy = f"one of: {', '.join(allowed)}; or add it to agents_required"
        yield fault(f"{at}.agent_type", task.agent_type.value, "is not among agents_required", remedy)


def _dependencies(at: str, task: TaskSpec, ids: Sequence[str]) -> Iterator[Problem]:
    others = [one for one in ids if one != task.task_id]
    for dependency in task.dependencies:
        if dependency == task.task_id:
            yield fault(f"{at}.dependencies", dependency, "is the task itself", "remove it")
        elif dependency not in others:
            remedy = did_you_mean(dependency, others, "the other tasks are") or "there is no other task; leave it out"
            yield fault(f"{at}.dependencies", dependency, "is no task of the plan", remedy)


def _files(at: str, task: TaskSpec) -> Iterator[Problem]:
    for path in task.files:
        if leads_outside(path):
            yield fault(f"{at}.files", path, "leads out of the repository", "give a path inside it, such as src/cart")


def _budget(at: str, task: TaskSpec) -> Iterator[Problem]:
    try:
        if task.budget is not None and amount_of(task.budget).value > MOST_MONEY:
            yield fault(f"{at}.budget", task.budget, "is more than a task can cost", f"at most {MOST_MONEY}")
    except ValueError as error:
        yield fault(f"{at}.budget", task.budget, str(error), HOW)


def _unserved(requirements: Sequence[Requirement], served: set[str]) -> Iterator[Problem]:
    for number, one in enumerate(requirements):
        if one.requirement_id not in served:
            message = f"is served by no task ({one.requirement_id})"
            remedy = f"name {one.requirement_id} in the `requirements` of a task"
            yield fault(f"requirements[{number}]", one.text, message, remedy)


def _circle(tasks: Tasks, ids: Sequence[str]) -> Iterator[Problem]:
    known = set(ids)
    order = {task.task_id: tuple(d for d in task.dependencies if d in known and d != task.task_id) for task in tasks}
    circle = circle_in(order) if len(known) == len(ids) else ()
    if circle:
        message = f"the tasks wait for each other: {' → '.join(circle[:12])}"
        yield fault("tasks", None, message, "remove one of these dependencies")


def _plan(spec: ProjectSpec, tasks: Tasks) -> ProjectPlan:
    requirements = ledger(spec)
    texts = {one.requirement_id: one.text for one in requirements}
    made = tuple(_task(spec, number, task, requirements, texts) for number, task in enumerate(tasks))
    gates = plan_gates(spec, [(task.task_id, task.title, _words(task, texts)) for task in made])
    return ProjectPlan(
        project_id=spec.project_id, brief=brief_of(spec), requirements=requirements, tasks=made, gates=gates
    )


def _words(task: PlanTask, texts: Mapping[str, str]) -> str:
    """The text by which a gate may name the task."""
    return "\n".join([task.title, *(texts[one] for one in task.requirements)])


def _task(
    spec: ProjectSpec, number: int, task: TaskSpec, requirements: Sequence[Requirement], texts: Mapping[str, str]
) -> PlanTask:
    """Types in turn where a task names none."""
    served, _ = requirement_ids(task.requirements, requirements)
    words = [texts[one] for one in served]
    title = task.title or "; ".join(words) or task.prompt
    return PlanTask(
        task_id=task.task_id,
        title=title[:200],
        prompt=task.prompt or "\n".join(words) or task.title,
        agent_type=task.agent_type or spec.agents_required[number % len(spec.agents_required)],
        requirements=tuple(served),
        dependencies=tuple(dict.fromkeys(task.dependencies)),
        checks=tuple(dict.fromkeys([*spec.checks, *task.checks])),
        files=task.files,
        budget=None if task.budget is None else f"{amount_of(task.budget).value:f}",
    )
