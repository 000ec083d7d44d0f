"""Start a run: validate, snapshot, store; the engine takes it after the commit."""

from __future__ import annotations

import logging
import re
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from orchestration import audit, roles
from orchestration.audit import Actor
from orchestration.clock import now
from orchestration.core.definition import SagaDefinition, definition_hash
from orchestration.engines.registry import ENGINES, choose
from orchestration.errors import BadInput, Unreachable
from orchestration.models import Definition, Run
from orchestration.services.definitions import check_definition, store

log = logging.getLogger(__name__)

WORKFLOW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,199}")
CONFIG_KEYS = frozenset({"timeout_seconds", "max_parallel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The step of another run that a child run belongs to."""

    run: Run
    step_id: str
    iteration: int
    attempt: int


def start_run(
    *,
    definition: object,
    actor: Actor,
    workflow_id: str = "",
    engine: str = "",
    context: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    parent: Parent | None = None,
) -> tuple[Run, bool]:
    """The run and whether this call started it.

    A used `workflow_id` with the same definition and context returns its run; with another it is BadInput.
    `context` is laid over the definition's own. `config`: timeout_seconds, max_parallel; other keys are kept.
    Raises BadInput, NotAllowed, Unreachable (an engine asked for by name that is away).
    """
    roles.require(actor, "run.start")
    checked = check_definition(definition)
    merged = _merged(checked, context)
    handle = _handle(workflow_id, checked)
    known = Run.objects.filter(workflow_id=handle).select_related("definition").first()
    if known is not None:
        return _same(known, checked, merged), False
    _check_config(config or {})
    chosen = choose(engine)
    with transaction.atomic():
        stored, _ = store(checked, actor=actor)
        run, created = Run.objects.get_or_create(
            workflow_id=handle,
            defaults={
                "engine": chosen.name,
                "definition": stored,
                "context": merged,
                "config": config or {},
                "created_at": now(),
                "created_by": actor.name,
                **_parent_fields(parent),
            },
        )
        if not created:
            return _same(run, checked, merged), False
        audit.record(actor=actor, action="run.start", workflow_id=handle, definition=str(stored), engine=chosen.name)
    _hand_over(run)
    return run, True


def _hand_over(run: Run) -> None:
    """Once committed the run is accepted; if its engine is away, the relay hands it over later."""

    def take() -> None:
        try:
            ENGINES[run.engine].take(run)
        except Unreachable as error:
            log.warning("run %s waits for the %s engine: %s", run.workflow_id, run.engine, error)

    transaction.on_commit(take)


def _merged(definition: SagaDefinition, context: dict[str, Any] | None) -> dict[str, Any]:
    if context is not None and not isinstance(context, dict):
        raise BadInput(f"context must be a mapping, not {type(context).__name__}", field="context")
    return {**definition.context, **(context or {})}


def _handle(workflow_id: str, definition: SagaDefinition) -> str:
    handle = workflow_id or f"{definition.saga_id}-{uuid.uuid4().hex[:10]}"
    if not WORKFLOW_ID.fullmatch(handle):
        raise BadInput(
            f"workflow_id {handle[:80]!r} is not usable",
            field="workflow_id",
            remedy="letters, digits and _ . : ~ -, at most 200, beginning with a letter or digit",
        )
    return handle


def _same(run: Run, definition: SagaDefinition, context: dict[str, Any]) -> Run:
    if run.definition.hash == definition_hash(definition) and run.context == context:
        return run
    what = "context" if run.definition.hash == definition_hash(definition) else "definition"
    raise BadInput(
        f"workflow_id '{run.workflow_id}' is in use by a run with another {what}",
        field="workflow_id",
        remedy="choose another workflow_id, or none to get a new one",
    )


def _check_config(config: dict[str, Any]) -> None:
    for key in CONFIG_KEYS & config.keys():
        value = config[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise BadInput(f"config.{key} is {value!r}", field=f"config.{key}", remedy="give a number above 0")
    if not 1 <= config.get("max_parallel", 1) <= 200:
        raise BadInput("config.max_parallel is out of range", field="config.max_parallel", remedy="1 to 200")


def _parent_fields(parent: Parent | None) -> dict[str, Any]:
    if parent is None:
        return {}
    return {
        "parent": parent.run,
        "parent_step": parent.step_id,
        "parent_iteration": parent.iteration,
        "parent_attempt": parent.attempt,
    }


def definition_by_name(name: str) -> Definition:
    """The latest version of a saga, for a child that names it."""
    found = Definition.objects.filter(saga_id=name).order_by("-version").first()
    if found is None:
        raise BadInput(f"there is no saga '{name}'", field="definition", remedy="publish it first")
    return found
