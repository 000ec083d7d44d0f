"""`saga`: a child run on the engine of its parent. Its end arrives later as an event (rule 12)."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings

from foundation.clock import now
from foundation.errors import Unreachable, ZenError
from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.actions.base import Call, Result
from orchestration.core.enums import Cause, Outcome, Purpose, RunStatus
from orchestration.core.saga.events import AbortRequested
from orchestration.ledger import run_end
from orchestration.models import Run
from orchestration.runs.definitions.versions import definition_by_name
from orchestration.runs.delivery import deliver
from orchestration.runs.new_run import Parent
from orchestration.runs.start import start_run
from orchestration.runs.start_inputs import carried_on

LONGEST_HANDLE, LONGEST_ACTOR = 200, 150


def child(call: Call) -> Result:
    """Start a child run, or have it rolled back where the step is undone. Deferred: its end comes as an event.

    Raises:
        Unreachable: the engine is away; the attempt is repeated.
    """
    return _undo(call) if call.purpose is Purpose.UNDO else _start(call)


def _start(call: Call) -> Result:
    parent = Run.objects.get(workflow_id=call.workflow_id)
    above = _above(parent)
    if len(above) > settings.ZEN_MAX_CHILD_DEPTH:
        return Result(outcome=Outcome.FAILED, error=_too_deep(call, above))
    given = call.action["definition"]
    if not isinstance(given, str | dict):
        return Result(outcome=Outcome.FAILED, error=f"the child saga was refused: {_no_definition(given)}")
    context: Any = call.action.get("context") or {}
    try:
        start_run(
            definition=definition_by_name(given).body if isinstance(given, str) else given,
            actor=Actor(name=f"run {parent.workflow_id}"[:LONGEST_ACTOR], door="engine", roles=CONSOLE_ROLES),
            workflow_id=child_id(call.workflow_id, call.step_id, call.iteration),
            engine=parent.engine,
            context=context,
            config=carried_on(parent.config),
            parent=Parent(run=parent, step_id=call.step_id, iteration=call.iteration, attempt=call.attempt),
        )
    except Unreachable:
        raise
    except ZenError as error:
        return Result(outcome=Outcome.FAILED, error=f"the child saga was refused: {error}")
    return Result(outcome=Outcome.SUCCEEDED, deferred=True)


def _undo(call: Call) -> Result:
    run = Run.objects.get(workflow_id=str(call.action["workflow_id"]))
    if run.status == RunStatus.ROLLED_BACK:
        return Result(outcome=Outcome.SUCCEEDED, output={"workflow_id": run.workflow_id, "status": run.status})
    if run.status in (RunStatus.ROLLBACK_INCOMPLETE, RunStatus.FORCE_STOPPED):
        return Result(outcome=Outcome.FAILED, error=run_end.end_of_child(run))
    event = AbortRequested(at=now(), cause=Cause.OPERATOR, by="parent run", undo_completed=True)
    message = run_end.post(run, event, message_id=f"parent-undo:{run.pk}:{call.iteration}:{call.attempt}")
    refusal = deliver(message)
    if refusal:
        return Result(outcome=Outcome.FAILED, error=f"child run '{run.workflow_id}': {refusal}")
    return Result(outcome=Outcome.SUCCEEDED, deferred=True)


def _above(run: Run) -> list[Run]:
    """The run and those it is a child of, the first of all at the head."""
    found = [run]
    while found[0].parent is not None:
        found.insert(0, found[0].parent)
    return found


def _too_deep(call: Call, above: list[Run]) -> str:
    steps = [*(run.parent_step for run in above[1:]), call.step_id]
    chain = " → ".join(f"{run.definition.saga_id} (step {step})" for run, step in zip(above, steps, strict=True))
    return (
        f"the child saga was refused: {len(above)} levels of children are more than {settings.ZEN_MAX_CHILD_DEPTH} "
        f"(ZEN_MAX_CHILD_DEPTH): {chain} → {_named(call.action['definition'])}"
    )


def _no_definition(given: object) -> str:
    what = "null" if given is None else f"a {type(given).__name__}"
    return f"the output that gives its definition is {what}; it has to be a mapping with saga_id and steps"


def _named(definition: object) -> str:
    return str(definition.get("saga_id") if isinstance(definition, dict) else definition)


def child_id(workflow_id: str, step_id: str, iteration: int) -> str:
    """The child's handle: the same however often the attempt is repeated. A long one ends in its hash."""
    handle = f"{workflow_id}.{step_id}.{iteration}"
    if len(handle) <= LONGEST_HANDLE:
        return handle
    return f"{handle[: LONGEST_HANDLE - 33]}~{hashlib.sha256(handle.encode()).hexdigest()[:32]}"
