"""Start a run: validate, snapshot, store; the engine takes it after the commit."""

from __future__ import annotations

import hashlib
import logging
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from orchestration import audit, roles, sql
from orchestration.audit import Actor
from orchestration.clock import now
from orchestration.core.definition import DefinitionErrors, SagaDefinition
from orchestration.core.definition.shape import plain_json
from orchestration.engines.registry import ENGINES, choose
from orchestration.errors import BadInput, Unreachable
from orchestration.givers import Giver
from orchestration.models import RULES, Definition, Run
from orchestration.services.definitions import (
    Checked,
    audit_publishing,
    checked,
    published,
    refuse_gaps,
    refuse_gates,
    refuse_unknown_children,
    store,
)

log = logging.getLogger(__name__)

LONGEST_HANDLE = 200
WORKFLOW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,199}")
CONTEXT_LEVELS = 150
"""So deep that a template may put any output that is kept (100 levels) into a child's context."""
CONFIG_KEYS = frozenset({"timeout_seconds", "max_parallel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The step of another run that a child run belongs to."""

    run: Run
    step_id: str
    iteration: int
    attempt: int

    def fields(self) -> dict[str, Any]:
        return {
            "parent": self.run,
            "parent_step": self.step_id,
            "parent_iteration": self.iteration,
            "parent_attempt": self.attempt,
        }

    def owns(self, run: Run) -> bool:
        """Whether it was made by this very step. A name alone shows nothing: anybody may choose it."""
        mine = (self.run.pk, self.step_id, self.iteration)
        return (run.parent_id, run.parent_step, run.parent_iteration) == mine

    def other_handle(self, handle: str) -> str:
        """For where somebody else has taken `handle`: the same at every attempt."""
        told = f"{handle}\n{self.run.pk}\n{self.run.created_at.isoformat()}"
        return f"{handle[: LONGEST_HANDLE - 33]}~{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def start_run(
    *,
    definition: object,
    actor: Actor,
    workflow_id: str = "",
    engine: str = "",
    context: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    parent: Parent | None = None,
    listed: bool = True,
    input_by: Sequence[Giver] = (),
) -> tuple[Run, bool]:
    """The run and whether this call started it.

    A `definition` that is not published yet is published by this, if `listed` says so, the actor may publish and it is
    no child's; otherwise it belongs to this run, and nothing finds it by its name.

    A used `workflow_id` with the same definition and context returns its run; with another it is BadInput.
    `context` is laid over the definition's own. `config`: timeout_seconds, max_parallel; other keys are kept.
    `input_by`: whose input it is besides the actor's, as of a run that is restarted.
    Raises BadInput, NotAllowed, Unreachable (an engine asked for by name that is away).
    """
    roles.require(actor, "run.start")
    found = checked(definition)
    merged = _merged(found.definition, context)
    handle = _handle(workflow_id, found.definition)
    known = _by_handle(handle) if workflow_id else None
    if known is not None and parent is not None and not parent.owns(known):
        handle = parent.other_handle(handle)
        known = _by_handle(handle)
    if known is not None:
        return _same(known, found, merged, parent), False
    _check_config(config or {})
    refuse_gaps(found, merged, (context or {}) if parent is None else {})  # what a parent gives was written before
    refuse_gates(found.definition)
    refuse_unknown_children(found.definition)
    chosen = choose(engine)
    with sql.writing():
        publishes = listed and parent is None and roles.may(actor, "definition.publish")
        stored, new = store(found, actor=actor, listed=publishes)
        if new and publishes:
            audit_publishing(stored, actor)
        run = Run(
            workflow_id=handle,
            engine=chosen.name,
            definition=stored,
            rules=RULES,
            context=merged,
            config=config or {},
            created_at=now(),
            created_by=actor.name,
            created_for=actor.owner,
            created_by_id=actor.user_id,
            created_for_id=actor.owner_id,
            input_by=[list(one) for one in input_by],
            **(parent.fields() if parent else {}),
        )
        beginning = chosen.begin(run)
        if not _insert(run):
            return _same(Run.objects.get(workflow_id=handle), found, merged, parent), False
        about = {"definition": str(stored), "engine": chosen.name}
        audited = audit.row(actor=actor, action="run.start", workflow_id=handle, **about)
        sql.run(*audited, *(beginning.statements() if beginning else ()))
        transaction.on_commit(partial(_hand_over, run))
    return run, True


_COLUMNS = (
    "workflow_id, kind, engine, status, cause, definition_id, rules, context, config, head, version, parent_id, "
    "parent_step, parent_iteration, parent_attempt, error, handed_over, created_at, started_at, finished_at, "
    "created_by, created_for, created_by_id, created_for_id, input_by"
)


_AS_SQL: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("context", "config", "head", "input_by"), sql.as_json),
    **dict.fromkeys(("created_at", "started_at", "finished_at"), sql.moment),
}


def _as_it_is(value: Any) -> Any:
    return value


def _insert(run: Run) -> bool:
    """False, and nothing written, when the handle is taken."""
    names = _COLUMNS.split(", ")
    values = [_AS_SQL.get(name, _as_it_is)(getattr(run, name)) for name in names]
    marks = ", ".join(["%s"] * len(names))
    statement = (
        f"INSERT INTO orchestration_run ({_COLUMNS}) VALUES ({marks}) "  # noqa: S608 - our own names
        "ON CONFLICT (workflow_id) DO NOTHING RETURNING id"
    )
    for (pk,) in sql.rows_of(sql.Statement(statement, values))[0]:
        run.pk = pk
        run._state.adding = False  # noqa: SLF001 - documented by Django
        return True
    return False


def _hand_over(run: Run) -> None:
    """Once committed the run is accepted; if its engine is away, the relay hands it over later."""
    engine = ENGINES[run.engine]
    try:
        engine.wake() if run.handed_over else engine.take(run)
    except Unreachable as error:
        log.warning("run %s waits for the %s engine: %s", run.workflow_id, run.engine, error)


def _by_handle(workflow_id: str) -> Run | None:
    return Run.objects.filter(workflow_id=workflow_id).select_related("definition").first()


def _merged(definition: SagaDefinition, context: dict[str, Any] | None) -> dict[str, Any]:
    if context is not None and not isinstance(context, dict):
        raise BadInput(f"context must be a mapping, not {type(context).__name__}", field="context")
    return {**definition.context, **(plain_context(context) if context else {})}


def plain_context(context: dict[str, Any]) -> dict[str, Any]:
    """A context as it can be kept, or BadInput that names the key: JSON, at most ZEN_MAX_OUTPUT_BYTES."""
    most, remedy = settings.ZEN_MAX_OUTPUT_BYTES, "let a step fetch what is large; the limit is ZEN_MAX_OUTPUT_BYTES"
    try:
        plain: Any = plain_json({"context": context}, most_bytes=most, most_levels=CONTEXT_LEVELS, remedy=remedy)
    except DefinitionErrors as errors:
        wrong = errors.problems[0]
        field = wrong.field or "context"
        got = f" (got {wrong.value})" if wrong.value else ""
        raise BadInput(f"{field}: {wrong.message}{got}", field=field, remedy=wrong.remedy) from None
    found: dict[str, Any] = plain["context"]
    return found


def _handle(workflow_id: str, definition: SagaDefinition) -> str:
    return handle_of(workflow_id, definition.saga_id, field="workflow_id")


def handle_of(given: str, stem: str, *, field: str) -> str:
    """The handle that was given, or a new one that begins with `stem`. Raises BadInput."""
    handle = given or f"{stem}-{uuid.uuid4().hex[:10]}"
    if not WORKFLOW_ID.fullmatch(handle):
        raise BadInput(
            f"{field} {handle[:80]!r} is not usable",
            field=field,
            remedy="letters, digits and _ . : ~ -, at most 200, beginning with a letter or digit",
        )
    if audit.NO_RUNS.fullmatch(handle):
        raise BadInput(
            f"{field} '{handle}' is the name of a chain of the audit that belongs to no run", field=field,
            remedy="choose another; 'notifications', 'logins' and 'endpoint:' with a number are taken",
        )  # fmt: skip
    return handle


def _same(run: Run, found: Checked, context: dict[str, Any], parent: Parent | None) -> Run:
    if parent is not None and not parent.owns(run):
        raise BadInput(f"workflow_id '{run.workflow_id}' is in use by another run", field="workflow_id")
    if run.definition.hash == found.hash and run.context == context:
        return run
    what = "context" if run.definition.hash == found.hash else "definition"
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


def definition_by_name(name: str) -> Definition:
    """The latest version of a saga, for a child that names it."""
    found = published(name).first()
    if found is None:
        raise BadInput(f"there is no saga '{name}'", field="definition", remedy="publish it first")
    return found
