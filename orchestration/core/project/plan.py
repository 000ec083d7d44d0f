"""A plan: tasks in an order, which requirements each serves, and the gates between them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from orchestration.core.agent.agent_type import AgentType
from orchestration.core.definition.shape import canonical_json

LONGEST_LINE, LONGEST_CHANGES = 500, 5000
"""Of what people read about a task, and about what was asked of all of them."""


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requirement(_Value):
    """`requirement_id`: R1, R2 … in the order of the spec."""

    requirement_id: str
    text: str


class PlanTask(_Value):
    """A task for one agent. `files`: paths that it may change; none: any. `checks`: those of the project as well.

    `budget`: what its attempts may cost together, as a decimal.
    """

    task_id: str
    title: str
    prompt: str
    agent_type: AgentType
    requirements: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    budget: str | None = None


class PlanGate(_Value):
    """People who must say yes: before the merge of a task, after it, or (`task_id` '') when all tasks are merged."""

    gate_id: str
    name: str
    task_id: str = ""
    after: bool = False
    policy: str | None = None
    approvers: tuple[str, ...] | None = None


class ProjectPlan(_Value):
    """What the saga of the tasks is compiled from: the plan, and what every agent is told about the project."""

    project_id: str
    brief: str
    requirements: tuple[Requirement, ...]
    tasks: tuple[PlanTask, ...]
    gates: tuple[PlanGate, ...] = ()

    @property
    def plan_hash(self) -> str:
        """SHA-256 of its canonical JSON: what a gate was asked about."""
        return hashlib.sha256(canonical_json(self.plain()).encode()).hexdigest()

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return self.model_dump(mode="json")

    def coverage(self) -> dict[str, list[str]]:
        """Requirement → the tasks that serve it."""
        return {
            one.requirement_id: [task.task_id for task in self.tasks if one.requirement_id in task.requirements]
            for one in self.requirements
        }

    def in_words(self, changes: Sequence[str] = ()) -> dict[str, str]:
        """Task → what it is, for those who decide about the plan. `changes`: what was asked of all of it since."""
        told = {}
        for task in self.tasks:
            serves = f", serves {', '.join(task.requirements)}" if task.requirements else ""
            after = f", after {', '.join(task.dependencies)}" if task.dependencies else ""
            told[task.task_id] = f"{task.title} ({task.agent_type}{serves}{after})"[:LONGEST_LINE]
        return told | ({"all of them": "; ".join(changes)[:LONGEST_CHANGES]} if changes else {})


def plan_in_force(planned: Mapping[str, Any], changes: Mapping[str, Any]) -> ProjectPlan | None:
    """The plan by the outputs of the steps `plan` and `changes`; None where none is made yet.

    Tasks that were planned again stand in the place of those that they replaced.
    """
    if not planned.get("plan"):
        return None
    plan, replaced = ProjectPlan.model_validate(planned["plan"]), changes.get("replaced") or ()
    if not changes.get("again"):
        return plan
    again = ProjectPlan.model_validate(changes["again"])
    kept = tuple(one for one in plan.tasks if one.task_id not in replaced)
    return plan.model_copy(update={"tasks": (*kept, *again.tasks)})
