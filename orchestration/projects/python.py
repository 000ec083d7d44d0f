"""The public function by which Python code starts a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async

from foundation.identity.actor import CONSOLE_ROLES, Actor
from foundation.identity.permissions import as_account
from orchestration.core.project import ProjectSpec
from orchestration.projects.start import start_project

PYTHON = Actor(name="python", door="python", roles=CONSOLE_ROLES)


async def start_multi_agent_project(
    project_spec: ProjectSpec | Mapping[str, Any],
    config: Mapping[str, Any] | None = None,
    *,
    workflow_id: str = "",
    engine: str = "",
    started_by: str = "",
) -> dict[str, Any]:
    """Start a project; returns {"workflow_id", "engine", "status", "started"}.

    `project_spec`: a ProjectSpec, or the same as JSON. `config`: approval_timeout (seconds), parallel_execution,
    max_parallel_agents, retry_failed_phases, automatic_testing, deployment_strategy, monitoring_enabled and others; an
    unknown key is refused. `workflow_id`: the handle; '' is the project_id. A used one with the same spec and
    configuration returns its run, and `started` is False. `engine`: auto, temporal or celery; '' is the site's setting.
    `started_by`: the user name of the account that starts it, with its rights; that person decides none of its gates.

    Raises:
        BadInput: with every problem of the spec and the configuration, each with field, value and remedy.
        NotAllowed: the account's roles do not include starting runs.
        Unreachable: an engine that was asked for by name is away.
    """
    actor = await sync_to_async(as_account)(started_by, door="python", field="started_by") if started_by else PYTHON
    run, started = await sync_to_async(start_project)(
        spec=project_spec, config=config, actor=actor, workflow_id=workflow_id, engine=engine
    )
    return {"workflow_id": run.workflow_id, "engine": run.engine, "status": run.status, "started": started}
