"""What both engines write besides a run's own decision: to its parent, its children, its timers."""

from __future__ import annotations

import uuid
from typing import Any

from foundation.clock import now
from foundation.db import statements
from foundation.visible_text import cut
from orchestration.core.enums import Cause, Outcome, Purpose, RunStatus
from orchestration.core.saga.codec import EVENT
from orchestration.core.saga.commands import CancelAction
from orchestration.core.saga.events import AbortRequested, ActionEnded, Event, LookAgain
from orchestration.ledger.inbox import store_once
from orchestration.ledger.outcome import attempts_of, run_error, warnings_of_run
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Message, Run

LONGEST_ERROR = 2000


def post(run: Run, event: Event, *, message_id: str = "") -> Message:
    """Store an event for a run; its engine delivers it. The same `message_id` is stored once."""
    return store_once(run, EVENT.dump_python(event, mode="json"), message_id=message_id or str(uuid.uuid4()))


_END_TIMERS = """
UPDATE orchestration_command SET status = 'done', ended_at = %s
WHERE run_id = %s AND kind = 'start_timer' AND status = 'ready'
"""


def end_timers(run: Run) -> statements.Statement:
    """The statement that ends the run's waiting timers."""
    return statements.Statement(_END_TIMERS, [statements.moment(now()), run.pk])


def finish(run: Run) -> None:
    """End the run's timers and tell its parent. Inside the engine's transaction."""
    statements.run(end_timers(run))
    tell_parent(run)


def look_again(run: Run) -> Message | None:
    """Store for the step that waits for this run that it has to look again, once for each version.

    None without a parent.
    """
    if run.parent is None:
        return None
    event = LookAgain(at=now(), step_id=run.parent_step, iteration=run.parent_iteration)
    return post(run.parent, event, message_id=f"look:{run.pk}:{run.version}")


def tell_parent(run: Run) -> None:
    """Store the run's end for the step that started it. Nothing for a run without a parent."""
    if run.parent_id and run.parent is not None:
        step = compiled_plan(run.parent).steps.get(run.parent_step)
        if step is None or step.external:
            _tell_parent(run, run.parent)
        else:  # a step at work had started it, and reads how it ended
            look_again(run)


def cancel_action(run: Run, command: CancelAction) -> None:
    """Ask what is in flight to stop; a child saga is asked to abort."""
    run.commands.filter(
        kind="run_action",
        step_id=command.step_id,
        purpose=command.purpose,
        iteration=command.iteration,
        attempt=command.attempt,
    ).update(cancel_requested=True)
    for child in run.children.filter(parent_step=command.step_id, parent_iteration=command.iteration):
        if not RunStatus(child.status).is_end:
            event = AbortRequested(at=now(), cause=Cause.CANCELLED, by="parent run")
            post(child, event, message_id=f"parent-abort:{child.pk}:{command.attempt}")


def _tell_parent(run: Run, parent: Run) -> None:
    undoing = run.cause == Cause.OPERATOR and run.status != RunStatus.COMPLETED and _undo_awaited(run, parent)
    purpose = Purpose.UNDO if undoing else Purpose.FORWARD
    row = parent.commands.filter(
        kind="run_action", step_id=run.parent_step, iteration=run.parent_iteration, purpose=purpose
    ).last()
    if row is None:
        return
    outcome, error = _verdict(run, purpose)
    event = ActionEnded(
        at=now(),
        step_id=run.parent_step,
        purpose=purpose,
        iteration=row.iteration,
        attempt=row.attempt,
        outcome=outcome,
        maybe=outcome is Outcome.UNKNOWN,
        error=error,
        cause=_cause(run, outcome),
    )
    output: dict[str, Any] = {"workflow_id": run.workflow_id, "status": run.status}
    row.outcome, row.error, row.output, row.ended_at = outcome, error, output, now()
    row.save(update_fields=["outcome", "error", "output", "ended_at"])
    post(parent, event, message_id=f"child:{run.pk}:{run.version}")


def _cause(run: Run, outcome: Outcome) -> Cause | None:
    """What people or a clock said within the child is why its parent fails too; None: it failed."""
    said = (Cause.REJECTED, Cause.TIMED_OUT)
    return Cause(run.cause) if outcome is not Outcome.SUCCEEDED and run.cause in said else None


def _undo_awaited(run: Run, parent: Run) -> bool:
    return parent.commands.filter(
        kind="run_action", step_id=run.parent_step, iteration=run.parent_iteration, purpose=Purpose.UNDO
    ).exists()


def _verdict(run: Run, purpose: Purpose) -> tuple[Outcome, str]:
    """What a child's end means to the step that started it. Something that stands is never a clean failure."""
    good = RunStatus.ROLLED_BACK if purpose is Purpose.UNDO else RunStatus.COMPLETED
    if run.status == good:
        return Outcome.SUCCEEDED, ""
    about = end_of_child(run)
    if purpose is Purpose.FORWARD and run.status in (RunStatus.FORCE_STOPPED, RunStatus.ROLLBACK_INCOMPLETE):
        return Outcome.UNKNOWN, about
    return Outcome.FAILED, about


def end_of_child(run: Run) -> str:
    """How a child ended, why, and what it says that still stands; at most 2,000 characters."""
    said = []
    if run.status != RunStatus.COMPLETED:
        plan, state = compiled_plan(run), load_state(run)
        error = run_error(run, plan, state, attempts_of(run))
        said = [text for text in (error, *warnings_of_run(run, plan, state)) if text]
    about = f"child run '{run.workflow_id}' ended {run.status}" + (f": {'; '.join(said)}" if said else "")
    return cut(about, LONGEST_ERROR)
