"""The tool that starts a multi-agent project."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from orchestration.api.projects.serializers import ProjectOut
from orchestration.models import Run
from orchestration.projects import start as projects
from orchestration.projects.queries import get_project, project_view
from orchestration.runs.allowed_actions import with_allowed_actions
from zen_project.mcp.arguments import Arguments
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import answer
from zen_project.mcp.tools.fields import Engine, Json, NewHandle, Wait


class Start(Arguments):
    """What a project takes."""

    spec: Annotated[Json, Field(description="project_id, name, requirements, success_criteria, agents_required …")]
    config: Annotated[Json | None, Field(description="gates, budget, deployment and the like")] = None
    workflow_id: NewHandle | None = None
    engine: Engine | None = None
    wait_seconds: Wait = 0


def start_project(caller: Caller, given: Start) -> Answer:
    """Start a multi-agent project; answers it with its tasks, requirements and gates. The same again is the same."""
    run, _ = projects.start_project(
        spec=given.spec,
        config=given.config,
        actor=caller.actor,
        workflow_id=given.workflow_id or "",
        engine=given.engine or "",
    )
    return project_answer(get_project(run.workflow_id), caller)


def project_answer(run: Run, caller: Caller) -> Answer:
    """The project as REST shows it to this caller."""
    return with_allowed_actions(run, project_view(run), caller.actor)


def again(caller: Caller, had: Answer) -> Answer:
    """The project of an answer, as it is now."""
    return project_answer(get_project(had["workflow_id"]), caller)


ENTRIES: tuple[Entry[Any], ...] = (
    Entry(
        name="start_project", title="Start a project", arguments=Start, answers=answer(ProjectOut), do=start_project,
        idempotent=True, again=again,
    ),
)  # fmt: skip
