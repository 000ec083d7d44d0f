"""The public function by which Python code starts a saga. It parses its arguments and calls `orchestration.runs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async

from foundation.errors import BadInput
from foundation.identity.actor import CONSOLE_ROLES, Actor
from foundation.identity.permissions import as_account
from orchestration.runs import start_run

__all__ = ["PYTHON", "start_distributed_saga"]

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
    """Start a saga; returns {"workflow_id", "engine", "status", "started"}.

    `started` is False if that run existed already.

    `saga_definition`: the definition as JSON (docs/reference/sagas.md). `coordination_mode`: only "orchestration".
    `config`: timeout_seconds (a number above 0) and max_parallel (1 to 200); other keys are kept with the run.
    `workflow_id`: the handle, at most 200 letters, digits and _ . : ~ -; '' gets a new one. A used one with the same
    definition and context returns its run. `context`: JSON, laid over the definition's own. `engine`: auto, temporal or
    celery; '' is the site's setting. `started_by`: the user name of the account that starts it, with its rights; that
    person may decide none of its gates. Without one the actor is "python", an administrator without an account.

    Raises:
        BadInput: the definition, context or config is not valid, a gate names unknown people or policies, a child is
            not published, there is no account `started_by`, or the `workflow_id` is that of a run with other content.
        NotAllowed: the account's roles do not include starting runs.
        Unreachable: an engine that was asked for by name is away.
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
