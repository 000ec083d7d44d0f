"""What a prompt is: its name, what it asks for, and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from mcp_types import PromptArgument, PromptMessage
from pydantic import Field

from zen_project.mcp.arguments import Arguments
from zen_project.mcp.identity import Caller
from zen_project.mcp.prompts import texts
from zen_project.mcp.resources.uris import Kind
from zen_project.mcp.tools.fields import RequestId, WorkflowId

Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class Draft(Arguments):
    """What shall be drafted."""

    goal: Annotated[Text, Field(description="what it shall do, in your words")]


class OfRun(Arguments):
    """The run meant."""

    workflow_id: Annotated[WorkflowId, Field(description="of the run")]


class OfRequest(Arguments):
    """The request meant."""

    request_id: Annotated[RequestId, Field(description="of the approval")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A prompt. `write` gets the caller and its arguments; `ids`: of which arguments ids are completed, and of what."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    write: Callable[[Caller, dict[str, str]], list[PromptMessage]]
    ids: tuple[tuple[str, Kind], ...] = ()

    @property
    def shown(self) -> list[PromptArgument]:
        """Its arguments, as the protocol lists them."""
        return [
            PromptArgument(name=name, description=field.description, required=field.is_required())
            for name, field in self.arguments.model_fields.items()
        ]


ENTRIES = (
    Entry(
        name="draft_saga", title="Draft a saga", arguments=Draft, write=texts.draft_saga,
        description="Draft a saga for a goal: steps, undos, gates; validated and previewed, not started.",
    ),
    Entry(
        name="draft_project", title="Draft a project", arguments=Draft, write=texts.draft_project,
        description="Draft the spec of a multi-agent project for a goal; shown, not started.",
    ),
    Entry(
        name="explain_failure", title="Explain a failure", arguments=OfRun, write=texts.explain_failure,
        description="Explain why a run failed, stands still or was rolled back, and what can be done.",
        ids=(("workflow_id", "run"),),
    ),
    Entry(
        name="review_approval", title="Review an approval", arguments=OfRequest, write=texts.review_approval,
        description="Read a request for approval for somebody who has to decide it.",
        ids=(("request_id", "approval"),),
    ),
)  # fmt: skip
"""All there are, in the order in which they are listed."""
