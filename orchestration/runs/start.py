"""Start a run: validate, freeze its input, store; its engine takes it in the same transaction or after the commit."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from django.db import transaction

from foundation import audit, telemetry
from foundation.db import statements
from foundation.errors import BadInput, Unreachable
from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.engines.base import Beginning, Engine
from orchestration.engines.registry import ENGINES, choose
from orchestration.ledger.news import news_of
from orchestration.models import Definition, News, Run
from orchestration.runs.archive.removed import used_before
from orchestration.runs.contributors import Contributor
from orchestration.runs.definitions import (
    Checked,
    audit_publishing,
    checked,
    is_own,
    refuse_gaps,
    refuse_gates,
    refuse_reserved,
    refuse_slow_patterns,
    refuse_unknown_children,
    store,
)
from orchestration.runs.new_run import Parent, insert, unsaved_run
from orchestration.runs.start_inputs import check_config, handle_for, merged_context, refuse_slips

log = logging.getLogger(__name__)


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
    input_by: Sequence[Contributor] = (),
    kind: str = Run.SAGA,
    compiled: bool = False,
) -> tuple[Run, bool]:
    """The run, and whether this call started it.

    A `definition` that is not published yet is published by this, if `listed` says so, the actor may publish and the
    run is no child; otherwise it belongs to this run, and no name finds it.

    `workflow_id`: a used one with the same definition and context returns its run. `engine`: auto, temporal or celery;
    '' is the site's setting. `context`: JSON, laid over the definition's own. `config`: timeout_seconds (above 0),
    max_parallel (1 to 200), retry_failed_steps, and what monitoring knows; other keys are kept, unless they are nearly
    one of these. `parent`: of a child run. `input_by`: people whose input it is besides the actor's, as of a restart.
    `kind`: of Run.SAGAS. `compiled`: Zen has made the definition, so that it may name handlers of Zen's own; the
    children of such a run may as well. No door says so for what it was given.

    Raises:
        NotAllowed: the actor may not start runs.
        BadInput: the definition, context, config or handle is not valid; a placeholder that nothing can fill; a gate
            that could not be asked; a child that is not published; a handler of Zen's own; or the handle is used by a
            run with other content, or was by one that was removed.
        Unreachable: an engine that was asked for by name is away.
    """
    permissions.require(actor, "run.start")
    found = checked(definition)
    merged = merged_context(found.definition, context)
    handle, known = _handle_and_run(workflow_id, found, parent)
    if known is not None:
        return _same(known, found, merged, parent), False
    if found.reserved and not compiled and (parent is None or not is_own(parent.run.definition)):
        refuse_reserved(found)
    _refuse_what_cannot_run(found, merged, context or {}, config or {}, parent)
    chosen = choose(engine)
    with _traced(found, handle, chosen.name, parent), statements.writing():
        stored = _stored(found, actor, listed=listed and parent is None)
        given = {"context": merged, "config": config or {}, "input_by": [list(one) for one in input_by]}
        for name in (handle, parent.other_handle(handle)) if parent is not None else (handle,):
            run = unsaved_run(name, chosen.name, stored, given, actor, parent, kind=kind)
            if _begun(run, chosen, actor):
                return run, True
            if (known := _by_handle(name)) is not None:
                return _same(known, found, merged, parent), False
    raise used_before(handle) or BadInput(f"workflow_id '{handle}' is in use", field="workflow_id")


def _begun(run: Run, engine: Engine, actor: Actor) -> bool:
    """Store the run and what its engine begins with; False if its handle is used."""
    beginning = engine.begin(run)
    inserted = insert(run)
    if inserted:
        _record_start(run, actor, beginning)
    return inserted


def _traced(found: Checked, handle: str, engine: str, parent: Parent | None) -> AbstractContextManager[telemetry.Span]:
    """The span that all spans of the run are below; a child's is in its parent's trace."""
    inherited = "" if parent is None or telemetry.traceparent() else parent.run.trace
    name = f"run start {found.definition.saga_id}"
    return telemetry.span(name, kind="producer", parent=inherited, workflow_id=handle, engine=engine)


def _handle_and_run(workflow_id: str, found: Checked, parent: Parent | None) -> tuple[str, Run | None]:
    """The handle of the run to start, and the run that has it already; a child leaves a stranger's handle alone."""
    handle = handle_for(workflow_id, found.definition)
    known = _by_handle(handle) if workflow_id else None
    if known is not None and parent is not None and not parent.owns(known):
        handle = parent.other_handle(handle)
        known = _by_handle(handle)
    return handle, known


def _stored(found: Checked, actor: Actor, *, listed: bool) -> Definition:
    """The definition's row; `listed`: published by this, if it is new and the actor may publish."""
    publishes = listed and permissions.may(actor, "definition.publish")
    stored, new = store(found, actor=actor, listed=publishes)
    if new and publishes:
        audit_publishing(stored, actor)
    return stored


def _refuse_what_cannot_run(
    found: Checked, merged: dict[str, Any], context: dict[str, Any], config: dict[str, Any], parent: Parent | None
) -> None:
    """Less of a child: what its parent gives was written before, and a saga in place goes on as its parent does."""
    check_config(config)
    if parent is None:
        refuse_slips(config)
    refuse_gaps(found, merged, context if parent is None else {})
    refuse_gates(found.definition)
    if parent is None:
        refuse_slow_patterns(found)
    refuse_unknown_children(found.definition)


def _record_start(run: Run, actor: Actor, beginning: Beginning | None) -> None:
    """Write its line in the audit and what its engine begins with; hand it over once that is committed."""
    about = {"definition": str(run.definition), "engine": run.engine}
    audited = audit.row(actor=actor, action="run.start", workflow_id=run.workflow_id, **about)
    news = news_of([(run, News.STARTED)])
    statements.run(*audited, *(beginning.statements() if beginning else ()), *news)
    transaction.on_commit(partial(_hand_over, run))


def _hand_over(run: Run) -> None:
    """Once committed the run is accepted; if its engine is away, the relay hands it over later."""
    engine = ENGINES[run.engine]
    try:
        engine.wake() if run.handed_over else engine.take(run)
    except Unreachable as error:
        log.warning("run %s waits for the %s engine: %s", run.workflow_id, run.engine, error)


def _by_handle(workflow_id: str) -> Run | None:
    return Run.objects.filter(workflow_id=workflow_id).select_related("definition").first()


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
