"""Start a saga from Python: a thin door over the services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async

from orchestration.audit import CONSOLE_ROLES, Actor
from orchestration.errors import BadInput
from orchestration.roles import as_account
from orchestration.services import start_run

PYTHON = Actor(name="python", door="python", roles=CONSOLE_ROLES)
"""Code that runs in this process holds the database anyway."""


async def start_distributed_saga(
    saga_definition: Mapping[str, Any],
    coordination_mode: str = "orchestration",
    config: Mapping[str, Any] | None = None,
    *,
    workflow_id: str = "",
    context: Mapping[str, Any] | None = None,
    engine: str = "",
    started_by: str = "",
) -> dict[str, Any]:
    """Start a saga; returns workflow_id, engine, status and started (False: that workflow_id was there already).

    `config`: timeout_seconds, max_parallel; other keys are kept with the run. `coordination_mode`: "orchestration".
    `started_by`: the user name of the account that starts it, with its rights: that person decides none of its gates.
    Without one it is "python", which may start anything and is nobody. Raises BadInput, NotAllowed, Unreachable.
    """
    if coordination_mode != "orchestration":
        raise BadInput(
            f"coordination_mode is {coordination_mode!r}",
            field="coordination_mode",
            remedy="use 'orchestration'; choreography arrives in a later release",
        )
    actor = await sync_to_async(as_account)(started_by, door="python", field="started_by") if started_by else PYTHON
    run, started = await sync_to_async(start_run)(
        definition=dict(saga_definition) if isinstance(saga_definition, Mapping) else saga_definition,
        actor=actor,
        workflow_id=workflow_id,
        engine=engine,
        context=_mapping(context, "context"),
        config=_mapping(config, "config"),
    )
    return {"workflow_id": run.workflow_id, "engine": run.engine, "status": run.status, "started": started}


def _mapping(value: Mapping[str, Any] | None, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadInput(
            f"{field} is of type {type(value).__name__}", field=field, remedy="give a mapping, or leave it out"
        )
    return dict(value)
