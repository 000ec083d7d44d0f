"""Children by which a phase has an agent do something once more, while the phase's step is parked.

Their end has the step look again. Everything follows from their rows, so a step may be performed again after any kill.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.actions.base import Result
from orchestration.actions.task import TaskContext
from orchestration.core.definition import SagaDefinition
from orchestration.core.enums import Outcome, RunStatus
from orchestration.models import Run
from orchestration.projects.phases.project import Project
from orchestration.runs import start_run
from orchestration.runs.new_run import Parent

LONGEST_ACTOR, LONGEST_STEM, LONGEST_ERROR = 150, 190, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingStep:
    """The step of a phase that asks agents."""

    project: Project
    context: TaskContext

    @property
    def parent(self) -> Parent:
        """The step, as the parent of what it starts."""
        at = self.context
        return Parent(run=self.project.step_run, step_id=at.step_id, iteration=at.iteration, attempt=at.attempt)

    def asked(self) -> list[Run]:
        """The children by which it asked so far, the earlier ones first."""
        at = self.context
        rows = Run.objects.filter(
            parent=self.project.step_run, parent_step=at.step_id, parent_iteration=at.iteration, kind__in=Run.SAGAS
        )
        return list(rows.order_by("id"))

    def ask(self, definition: SagaDefinition, *, number: int) -> None:
        """Start the child of this number, from 1.

        Raises:
            Unreachable: its engine is away.
        """
        run = self.project.step_run
        start_run(
            definition=definition.model_dump(mode="json", exclude_unset=True),
            actor=Actor(name=f"run {run.workflow_id}"[:LONGEST_ACTOR], door="engine", roles=CONSOLE_ROLES),
            workflow_id=self._handle(number),
            engine=run.engine,
            config=dict(run.config),
            parent=self.parent,
        )

    def _handle(self, number: int) -> str:
        """The same at every attempt of the step."""
        stem = f"{self.project.step_run.workflow_id}.{self.context.step_id}.{self.context.iteration}"
        if len(stem) > LONGEST_STEM:
            stem = f"{stem[: LONGEST_STEM - 33]}~{hashlib.sha256(stem.encode()).hexdigest()[:32]}"
        return f"{stem}.{number}"


def is_at_work(run: Run) -> bool:
    """Whether a child has not ended."""
    return not RunStatus(run.status).is_end


def parked(why: str) -> Result:
    """The step looks again when a child or a request of its own ends."""
    return Result(outcome=Outcome.PARKED, error=why[:LONGEST_ERROR])
