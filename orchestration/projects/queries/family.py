"""A project's run, what its phases gave, the runs of its tasks and of its acceptance, and its agents' attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.core.project import PlanTask, ProjectConfig, ProjectPlan, ProjectSpec, planned
from orchestration.core.project.phases import CHANGES, PROJECT, REWORK
from orchestration.core.project.plan import plan_in_force
from orchestration.ledger.loaded import of_family
from orchestration.models import AgentAttempt, Run
from orchestration.runs.queries import run_view

DEEPEST = 10
MOST_RUNS, MOST_ATTEMPTS = 1000, 5000
"""Of a level, and in all: the newest."""
WORKS = ("build", REWORK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """`view`: the run's own; `children`: step id → the view of the latest child of that step. `works`: the views of the
    runs in which agents work at tasks, the latest first.

    `questions`: the runs of requests to people, below any of its runs, the oldest of a level first.
    """

    run: Run
    view: Mapping[str, Any]
    spec: ProjectSpec
    config: ProjectConfig
    children: Mapping[str, Mapping[str, Any]]
    works: Sequence[Mapping[str, Any]]
    attempts: Sequence[AgentAttempt]
    questions: Sequence[Run]

    def output(self, step_id: str) -> dict[str, Any]:
        """What a phase gave; empty where it has not ended."""
        return output_in(self.view, step_id)

    def step(self, step_id: str) -> Mapping[str, Any] | None:
        """The view of one of its steps."""
        return step_in(self.view, step_id)

    def plan(self) -> ProjectPlan | None:
        """The plan as it was made, else as it would be made now; None where an agent has yet to make it."""
        return plan_in_force(self.output("plan"), self.output(CHANGES)) or planned(self.spec)

    def reworks(self) -> list[PlanTask]:
        """The tasks that people have asked for since it was built."""
        return [PlanTask.model_validate(one) for one in self.output(CHANGES).get("tasks", ())]

    def work_of(self, task_id: str) -> Mapping[str, Any]:
        """The view of the latest run that works at a task; empty where none does."""
        return next((view for view in self.works if step_in(view, task_id) is not None), {})

    def is_asked(self, step_id: str) -> bool:
        """Whether people are asked about a task or its merge, in the latest run that works at it."""
        build = self.work_of(step_id).get("workflow_id")
        open_ones = (one for one in self.questions if one.finished_at is None and one.parent_step == step_id)
        return any(one.parent is not None and one.parent.workflow_id == build for one in open_ones)

    def attempts_of(self, task_id: str) -> list[AgentAttempt]:
        """The attempts at a task in the latest run that works at it, the earlier ones first."""
        build = self.work_of(task_id).get("workflow_id")
        return [one for one in self.attempts if one.step_id == task_id and one.run.workflow_id == build]


def family_of(run: Run) -> Family:
    """All that the views of a project need: a query for each kind of row, and one for each level of runs."""
    given, below = run.context[PROJECT], _below(run)
    if len(below) < MOST_RUNS:  # else some of a level may be missing
        of_family(run, below)
    own = [child for child in below if child.parent_id == run.pk]
    latest = {child.parent_step: child for child in own if child.kind in Run.SAGAS}
    at_work = [child for child in own if child.parent_step in WORKS]
    views = {one.pk: run_view(one) for one in (run, *latest.values(), *at_work)}
    found = AgentAttempt.objects.filter(run__in=[run, *below]).numbered().select_related("run").defer("transcript")
    return Family(
        run=run,
        view=views[run.pk],
        spec=ProjectSpec.model_validate(given["spec"]),
        config=ProjectConfig.model_validate(given["config"]),
        works=[views[one.pk] for one in reversed(at_work)],
        children={step_id: views[child.pk] for step_id, child in latest.items()},
        attempts=list(found.order_by("-id")[:MOST_ATTEMPTS])[::-1],
        questions=[child for child in below if child.kind not in Run.SAGAS],
    )


def output_in(view: Mapping[str, Any], step_id: str) -> dict[str, Any]:
    """The output of a step of a run's view; empty where there is none."""
    step = step_in(view, step_id)
    found = step["output"] if step is not None else None
    return found if isinstance(found, dict) else {}


def step_in(view: Mapping[str, Any], step_id: str) -> Mapping[str, Any] | None:
    """A step of a run's view."""
    return next((step for step in view.get("steps", ()) if step["step_id"] == step_id), None)


def _below(run: Run) -> list[Run]:
    """The runs below it, the oldest of a level first. One query a level."""
    found, level = [], [run]
    for _ in range(DEEPEST):
        rows = Run.objects.filter(parent__in=level).select_related("definition", "archive", "parent").order_by("-id")
        level = list(rows[:MOST_RUNS])[::-1]
        if not level:
            break
        found += level
    return found
