"""What a call of the orchestrator may say: one flat JSON object, of which each operation takes a part."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field

from foundation.errors import BadInput
from zen_project.mcp.arguments import WORDS, Arguments
from zen_project.mcp.bounds import LIMIT
from zen_project.mcp.tools.fields import Cursor, Json, Limit, Wait

Operation = Literal["start_workflow", "status", "approval", "monitor", "list_workflows", "cancel_workflow"]
WorkflowType = Literal["multi_agent_project", "saga", "approval"]
Action = Literal["request", "approve", "reject", "list", "show"]


class Call(Arguments):
    """A call, whatever its operation."""

    operation: Annotated[Operation, Field(description="what to do")]
    workflow_type: Annotated[WorkflowType | None, Field(description="start_workflow: of what; list: only these")] = None
    workflow_spec: Annotated[
        Json | None,
        Field(description="start_workflow: a project's spec, a saga's definition (or saga_id), or what is asked"),
    ] = None
    config: Annotated[
        Json | None,
        Field(description="start_workflow: of the run. request: approvers, how_many, policy, timeout_seconds, title"),
    ] = None
    workflow_id: Annotated[
        str, Field(max_length=200, description="the run; of a start the handle to be had, so it can be repeated safely")
    ] = ""
    approval_id: Annotated[str, Field(max_length=200, description="the approval; of a request the handle")] = ""
    action: Annotated[Action | None, Field(description="approval: what to do")] = None
    approver_id: Annotated[
        str, Field(max_length=300, description="approve, reject: you; a user name or an address")
    ] = ""
    feedback: Annotated[str, Field(max_length=10_000, description="approve, reject: the comment; cancel: why")] = ""
    stage: Annotated[str, Field(max_length=100, description="request: a word for the decision")] = ""
    description: Annotated[str, Field(max_length=20_000, description="request: what is asked, as Markdown")] = ""
    context: Annotated[Json | None, Field(description="request: what is shown; a saga: its input")] = None
    include_details: Annotated[bool, Field(description="status: why it waits, its approvals, its last events")] = False
    wait_seconds: Wait = 0
    status: Annotated[list[str] | str, Field(description="lists: only these")] = []
    kind: Annotated[str, Field(max_length=20, description="list_workflows: only this kind")] = ""
    limit: Limit = LIMIT
    cursor: Cursor = ""

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """The arguments of a call; an empty one counts as left out.

        Raises:
            BadInput: with a problem for each that is wrong, missing, not known, or not of this operation.
        """
        said = super().read(
            {name: one for name, one in given.items() if one is not None or name not in cls.model_fields}
        )
        taken, needed = _of(said)
        problems = [_problem(name, WORDS["missing"], _choices(name)) for name in needed if name not in said.told]
        remedy = f"it takes: {', '.join(taken)}"
        problems += [
            _problem(name, f"is nothing that {_words(said)} takes", remedy)
            for name in sorted(said.told - {"operation", *taken})
        ]
        if problems:
            first = problems[0]
            raise BadInput(
                f"{first['field']}: {first['problem']}", field=str(first["field"]), remedy=str(first["remedy"]),
                problems=problems,
            )  # fmt: skip
        return said

    @property
    def told(self) -> set[str]:
        """The names of what was said and is not empty."""
        return {name for name in self.model_fields_set if getattr(self, name) not in (None, "", [], {}, 0, False)}

    @property
    def statuses(self) -> list[str]:
        """The statuses of a list, however they were given."""
        return [self.status] if isinstance(self.status, str) and self.status else list(self.status)


PAGE = ("status", "limit", "cursor")
ASKED = ("stage", "description", "context")
OPERATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "start_workflow": (
        ("workflow_type", "workflow_spec", "config", "workflow_id", *ASKED, "wait_seconds"),
        ("workflow_type",),
    ),
    "status": (("workflow_id", "include_details"), ("workflow_id",)),
    "monitor": (("workflow_id",), ()),
    "list_workflows": (("workflow_type", "kind", *PAGE), ()),
    "cancel_workflow": (("workflow_id", "feedback"), ("workflow_id",)),
}
"""What each operation takes, and what it needs."""

DECISION = (("approval_id", "approver_id", "feedback"), ("approval_id",))
ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "request": (("workflow_id", "approval_id", *ASKED, "config"), ("stage",)),
    "approve": DECISION,
    "reject": DECISION,
    "list": (("workflow_id", "stage", *PAGE), ()),
    "show": (("approval_id",), ("approval_id",)),
}
"""The same of `approval`, by its action."""


def _of(said: Call) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if said.operation == "approval":
        if said.action is None:
            return tuple(Call.model_fields), ("action",)
        taken, needed = ACTIONS[said.action]
        return ("action", *taken), needed
    taken, needed = OPERATIONS[said.operation]
    if said.operation != "start_workflow" or said.workflow_type in (None, "approval"):
        return taken, needed
    return tuple(name for name in taken if name not in _not_of(said)), (*needed, "workflow_spec")


def _not_of(said: Call) -> set[str]:
    return set(ASKED) - ({"context"} if said.workflow_type == "saga" else set())


def _words(said: Call) -> str:
    more = said.action if said.operation == "approval" else said.workflow_type
    return f"{said.operation} {more}" if more and said.operation in ("approval", "start_workflow") else said.operation


def _choices(name: str) -> str:
    found = {"action": get_args(Action), "workflow_type": get_args(WorkflowType)}.get(name, ())
    return f"one of: {', '.join(found)}" if found else ""


def _problem(field: str, problem: str, remedy: str = "") -> dict[str, object]:
    return {"field": field, "problem": problem, "remedy": remedy, "value": ""}
