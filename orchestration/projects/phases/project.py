"""The project that a step belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestration.actions.errors import Refused
from orchestration.actions.task import TaskContext
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.repository import Repository
from orchestration.core.enums import Outcome, Purpose
from orchestration.core.project import ProjectConfig, ProjectSpec
from orchestration.core.project.phases import PROJECT
from orchestration.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`run`: the project's own; `step_run`: the run that the step belongs to, which may be below it."""

    run: Run
    step_run: Run
    spec: ProjectSpec
    config: ProjectConfig

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return Layout.of(self.run.workflow_id)

    @property
    def repository(self) -> Repository:
        """Its repository, opened.

        Raises:
            Refused: there is none.
        """
        found = Repository(layout=self.layout)
        if not found.exists:
            raise Refused(f"the repository of project '{self.run.workflow_id}' is gone: {self.layout.repository}")
        return found.opened()

    def output(self, step_id: str) -> dict[str, Any]:
        """The latest output of one of its phases; empty where there is none."""
        return output_of(self.run, step_id)


def project_of(context: TaskContext) -> Project:
    """The project of a step.

    Raises:
        Refused: the step belongs to no project.
    """
    step_run = run = Run.objects.select_related("parent").get(workflow_id=context.workflow_id)
    while run.kind != Run.PROJECT and run.parent is not None:
        run = run.parent
    given = run.context.get(PROJECT) if run.kind == Run.PROJECT else None
    if not isinstance(given, dict):
        raise Refused("this handler performs the phases of projects, and the run belongs to none")
    return Project(
        run=run,
        step_run=step_run,
        spec=ProjectSpec.model_validate(given["spec"]),
        config=ProjectConfig.model_validate(given["config"]),
    )


def output_of(run: Run, step_id: str) -> dict[str, Any]:
    """The output of the latest attempt of a step that succeeded; empty where there is none."""
    rows = run.commands.filter(
        kind="run_action", step_id=step_id, purpose=Purpose.FORWARD, outcome=Outcome.SUCCEEDED
    ).order_by("iteration", "attempt")
    found = rows.values_list("output", flat=True).last()
    return found if isinstance(found, dict) else {}
