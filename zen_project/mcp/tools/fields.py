"""Types of arguments that several tools take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from zen_project.mcp.arguments import Arguments
from zen_project.mcp.bounds import LIMIT, MOST_ROWS
from zen_project.mcp.waiting import MOST_SECONDS

HANDLE = r"^[A-Za-z0-9][A-Za-z0-9_.:~-]*$"

WorkflowId = Annotated[str, Field(min_length=1, max_length=200, description="the run's handle")]
RequestId = Annotated[str, Field(min_length=1, max_length=200, description="the approval's handle")]
NewHandle = Annotated[
    str,
    Field(
        max_length=200, pattern=HANDLE,
        description="the handle to be had: a used one with the same content answers what there is, so a call can be "
        "repeated safely; without one a new one is made",
    ),
]  # fmt: skip
StepId = Annotated[str, Field(max_length=100, description="the step meant")]
Note = Annotated[str, Field(max_length=10_000, description="why; kept in the audit")]
Engine = Literal["auto", "temporal", "celery"]
Json = dict[str, Any]
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description=f"rows at most, {LIMIT} where it is left out")]
Cursor = Annotated[str, Field(max_length=1000, description="the `next_cursor` of the answer before")]
Wait = Annotated[
    float,
    Field(
        ge=0, le=MOST_SECONDS,
        description="wait so long, with progress, until the run has ended or stands still until a person acts",
    ),
]  # fmt: skip


class OfRun(Arguments):
    """Of a tool that only has to know the run."""

    workflow_id: WorkflowId


class Nothing(Arguments):
    """Of a tool that has to know nothing."""
