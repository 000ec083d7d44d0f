"""Runs that ended long ago, made by the engine and aged in the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F

from foundation.identity.actor import CONSOLE_ROLES, Actor
from monitoring.retention.pruning import Pruning
from orchestration.actions.errors import Refused
from orchestration.engines.celery import state_cache
from orchestration.models import Archive, Command, Event, Message, Run, RunLine, Step, Tombstone
from orchestration.runs import start_run
from orchestration.runs.relay import relay
from orchestration.workers import lease
from orchestration.workers.celery.worker import work
from tests.system.contract.sagas import ADA

BY = Actor(name="olga", door="console", roles=CONSOLE_ROLES)
TASKS = {"greets": "tests.monitoring.retention.scenes.greets", "refuses": "tests.monitoring.retention.scenes.refuses"}
GREETS = {"type": "task", "handler": "greets", "name": "{name}"}
CHILD = {"saga_id": "child", "steps": [{"step_id": "b", "forward_action": {"type": "task", "handler": "greets"}}]}
PARENT = {"step_id": "sub", "forward_action": {"type": "saga", "definition": CHILD}}
FAILS = {"step_id": "bad", "forward_action": {"type": "task", "handler": "refuses"}}


def greets(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """A task handler."""
    return {"greeting": f"hello {payload.get('name', '')}"}


def refuses(payload: dict[str, Any], context: Any) -> None:
    """A task handler that does nothing."""
    raise Refused("out of stock")


def ended(
    workflow_id: str, *steps: dict[str, Any], days: float = 0, context: dict[str, Any] | None = None, **more: Any
) -> Run:
    """A run of one step that greets, or of these, worked on until nothing is ready, and then so many days old."""
    body = {"saga_id": "old", "steps": list(steps) or [{"step_id": "a", "forward_action": GREETS}]}
    given = {"name": "ada"} if context is None else context
    run, _ = start_run(definition=body, actor=ADA, engine="celery", workflow_id=workflow_id, context=given, **more)
    lease.renew("w")
    settle()
    aged(run, days)
    run.refresh_from_db()
    return run


def settle() -> None:
    """Work and deliver until nothing is ready."""
    while work("w") or relay():
        pass


def aged(run: Run, days: float) -> None:
    """Have the run and all below it ended so many days before."""
    level = [run.pk]
    while level:
        Run.objects.filter(pk__in=level, finished_at__isnull=False).update(
            finished_at=F("finished_at") - timedelta(days=days)
        )
        level = list(Run.objects.filter(parent_id__in=level).values_list("pk", flat=True))
    state_cache.forget()


def pruned(**given: Any) -> dict[str, Any]:
    """A whole pass; what it says of itself."""
    pruning = Pruning(by=BY, anew=True, **given)
    while pruning.step():
        pass
    return pruning.finish()


def counts() -> dict[str, int]:
    """How many rows there are of what belongs to runs."""
    models = (Archive, Command, Event, Message, Run, RunLine, Step, Tombstone)
    return {model.__name__: model.objects.count() for model in models}
