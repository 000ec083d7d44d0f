"""`saga`: a child run on the engine of its parent. Its end arrives later as an event (rule 12)."""

from __future__ import annotations

from typing import Any

from orchestration.actions.base import Call, Result
from orchestration.core.events import AbortRequested
from orchestration.core.words import Cause, Outcome, Purpose, RunStatus
from orchestration.errors import Unreachable, ZenError


def child(call: Call) -> Result:
    return _undo(call) if call.purpose is Purpose.UNDO else _start(call)


def _start(call: Call) -> Result:
    from orchestration.audit import CONSOLE_ROLES, Actor
    from orchestration.models import Run
    from orchestration.services.start import Parent, definition_by_name, start_run

    parent = Run.objects.get(workflow_id=call.workflow_id)
    given = call.action["definition"]
    context: Any = call.action.get("context") or {}
    try:
        start_run(
            definition=definition_by_name(given).body if isinstance(given, str) else given,
            actor=Actor(name=f"run {parent.workflow_id}", door="engine", roles=CONSOLE_ROLES),
            workflow_id=child_id(call.workflow_id, call.step_id, call.iteration),
            engine=parent.engine,
            context=context,
            parent=Parent(run=parent, step_id=call.step_id, iteration=call.iteration, attempt=call.attempt),
        )
    except Unreachable:
        raise
    except ZenError as error:
        return Result(outcome=Outcome.FAILED, error=f"the child saga was refused: {error}")
    return Result(outcome=Outcome.SUCCEEDED, deferred=True)


def _undo(call: Call) -> Result:
    from orchestration import lifecycle
    from orchestration.clock import now
    from orchestration.engines.registry import ENGINES
    from orchestration.models import Run

    run = Run.objects.get(workflow_id=str(call.action["workflow_id"]))
    if run.status in (RunStatus.ROLLED_BACK,):
        return Result(outcome=Outcome.SUCCEEDED, output={"workflow_id": run.workflow_id, "status": run.status})
    event = AbortRequested(at=now(), cause=Cause.OPERATOR, by="parent run", undo_completed=True)
    message = lifecycle.post(run, event, message_id=f"parent-undo:{run.pk}:{call.iteration}:{call.attempt}")
    refusal = ENGINES[run.engine].deliver(message)
    if refusal:
        return Result(outcome=Outcome.FAILED, error=f"child run '{run.workflow_id}': {refusal}")
    return Result(outcome=Outcome.SUCCEEDED, deferred=True)


def child_id(workflow_id: str, step_id: str, iteration: int) -> str:
    """The child's handle: the same however often the attempt is repeated."""
    return f"{workflow_id}.{step_id}.{iteration}"
