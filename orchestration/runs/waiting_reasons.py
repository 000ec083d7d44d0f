"""In words: what a run waits for, and who can move it on."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Max

from foundation.clock import iso
from orchestration.core.enums import Outcome, Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState, StepState
from orchestration.engines.base import TROUBLE, Report
from orchestration.engines.registry import ENGINES
from orchestration.ledger import late_handlers
from orchestration.ledger.live_workers import queues_served, words_on, words_on_queue
from orchestration.ledger.plan_cache import compiled_plan
from orchestration.ledger.store import load_state
from orchestration.models import Command, Run
from orchestration.ports import kept
from orchestration.runs.descendants import STUCK, blocked_descendants
from orchestration.runs.next_attempt import next_try, second_chance
from orchestration.runs.queries import child_of

MOST_CHILDREN, MOST_LINES = 5, 3
"""Children on their way of which it is told what they wait for themselves, and lines of each."""


def why(run: Run) -> list[str]:
    """One sentence for each thing that the run, or a run below it, waits for, and who can move it on."""
    return _lines(run, children=MOST_CHILDREN)


def _lines(run: Run, *, children: int) -> list[str]:
    """`children`: of how many that are on their way it is told what they wait for."""
    status = RunStatus(run.status)
    if status.is_end:
        return [f"the run has ended: {status}" + (f", because of {run.cause}" if run.cause else "")]
    if not run.handed_over:
        again = f"; tried again at {iso(run.retry_at)}" if run.retry_at else ""
        return [f"the {run.engine} engine has not taken the run yet; is its server up? See `manage.py doctor`{again}"]
    said = ENGINES[run.engine].report(run)
    lines = [TROUBLE + said.trouble] if said.trouble else []
    flow = kept(run.kind)
    if flow is not None:
        return lines + flow.why(run)
    plan, state = compiled_plan(run), load_state(run)
    lines += [f"held: {state.hold_reason}"] if state.held else []
    asked = _with_child(plan, state)[: 0 if said.trouble else children]
    for step_id in plan.order:
        lines += _why_step(run, plan, state, step_id, said, look_below=step_id in asked)
    undelivered = run.messages.filter(delivered_at=None).aggregate(count=Count("id"), retry_at=Max("retry_at"))
    if undelivered["count"]:
        again = f"; tried again at {iso(undelivered['retry_at'])}" if undelivered["retry_at"] else ""
        lines.append(f"{undelivered['count']} acts are stored and not yet delivered to the {run.engine} engine{again}")
    return lines or [f"the run is {status}; its next step is about to start"]


def _with_child(plan: Plan, state: SagaState) -> list[str]:
    """The steps that are on their way, or are being undone, and have a child for it."""
    steps = [(step_id, state.step(step_id)) for step_id in plan.order if plan.steps[step_id].external]
    return [
        step_id for step_id, step in steps if step.status is StepStatus.RUNNING or step.undo is UndoStatus.COMPENSATING
    ]


def _why_step(run: Run, plan: Plan, state: SagaState, step_id: str, said: Report, *, look_below: bool) -> list[str]:
    step = state.step(step_id)
    if step.undo is UndoStatus.FAILED and step.resolution is None:
        failed = f"step '{step_id}': its compensation failed{_undo_error(run, step_id, step)}"
        return [f"{failed}; resolve it: retry, done-by-hand, alternative or accept-loss"]
    still = _goes_on(run, step_id)
    if still:
        return [still]
    if step.blocked:
        return [f"step '{step_id}' is {step.status} and blocks the run; retry or skip it"]
    parked = _parked(run, step_id, step)
    if parked:
        return [parked]
    if step.undo is UndoStatus.COMPENSATING:
        being = f"step '{step_id}' is being undone, attempt {step.undo_attempt}" + _again(run, step_id)
        being += _next_try(run, plan, state, step_id) + _machinery(said, step_id, Purpose.UNDO, step)
        child = child_of(run, step_id, step.in_hand)
        return (
            [being]
            if child is None
            else [f"{being}, by its child run '{child.workflow_id}' ({child.status})", *_why_below(child, look_below)]
        )
    if step.status is StepStatus.BACKING_OFF:
        return [_backs_off(run, plan, step_id, step)]
    if step.status is not StepStatus.RUNNING:
        return []
    if step.waiting or plan.steps[step_id].wait_seconds is not None:
        return [f"step '{step_id}' waits" + _next_try(run, plan, state, step_id)]
    child = _awaited(child_of(run, step_id, step.iteration), step)
    flow = kept(child.kind) if child is not None else None
    if child is not None and flow is not None:
        return [f"step '{step_id}': {line}" for line in flow.why(child)]
    if child is not None:
        waits = f"step '{step_id}' waits for the child run '{child.workflow_id}' ({child.status})"
        return [waits, *_why_below(child, look_below)]
    row = run.commands.filter(step_id=step_id, kind="run_action").last()
    machinery = _machinery(said, step_id, Purpose.FORWARD, step)
    if row is None or row.status == Command.READY:
        unserved = words_on_queue(run.engine, plan.steps[step_id].queue, queues_served(run.engine))
        if unserved:
            return [f"step '{step_id}' is ready, and {unserved}"]
    if row is not None and row.status == Command.READY:
        return [f"step '{step_id}' is ready and no worker has taken it; is one running? See `manage.py doctor`"]
    return [f"step '{step_id}' is running, attempt {step.attempt}" + _again(run, step_id) + machinery]


def _awaited(child: Run | None, step: StepState) -> Run | None:
    """The child, unless it is a request whose answer is there, and the step works with it."""
    answered = child is not None and child.finished_at is not None and not step.parked and kept(child.kind) is not None
    return None if answered else child


def _backs_off(run: Run, plan: Plan, step_id: str, step: StepState) -> str:
    due, chance = next_try(run, plan, step_id, step), second_chance(run, plan, step_id, step)
    if chance is None:
        return f"step '{step_id}' backs off after attempt {step.attempt}" + (f"; next at {iso(due)}" if due else "")
    times = "once" if step.attempt == 1 else f"{step.attempt} times"
    at = f" at {iso(due)}" if due else ""
    return f"step '{step_id}' failed {times}; second chance {chance[0]} of {chance[1]}{at}"


def _parked(run: Run, step_id: str, step: StepState) -> str:
    """What a circuit breaker holds back, and until when; '' for a step that it does not."""
    if step.undo is UndoStatus.COMPENSATING and step.undo_backing_off:
        what, attempt = {"purpose": Purpose.UNDO, "iteration": step.in_hand}, step.undo_attempt
    elif step.status is StepStatus.BACKING_OFF:
        what, attempt = {"purpose": Purpose.FORWARD, "iteration": step.iteration}, step.attempt
    else:
        return ""
    row = run.commands.filter(kind="run_action", step_id=step_id, attempt=attempt, **what).first()
    if row is None or row.outcome != Outcome.PARKED or row.retry_after is None or row.ended_at is None:
        return ""
    doing = "the undo of " if what["purpose"] is Purpose.UNDO else ""
    until = iso(row.ended_at + timedelta(seconds=row.retry_after))
    return f"{doing}step '{step_id}' is parked until {until}: {row.error}, and no attempt is used up"


def _goes_on(run: Run, step_id: str) -> str:
    """A handler that was told to stop and has not ended; '' where none is."""
    row = run.commands.filter(kind="run_action", step_id=step_id, status=Command.RUNNING).last()
    told = late_handlers.told_at(row) if row is not None else None
    if row is None or told is None:
        return ""
    undo = "the undo of " if row.purpose == Purpose.UNDO else ""
    since = f" since {iso(row.started_at)}" if row.started_at else ""
    return (
        f"{undo}step '{step_id}': the handler of attempt {row.attempt} still runs in worker {row.worker}{since}, "
        f"told to stop at {iso(told)}; nothing is retried or undone beside it. It ends by itself or with its worker"
    )


def _again(run: Run, step_id: str) -> str:
    """That a worker was lost over this attempt, and whether another has taken it up; '' otherwise."""
    row = run.commands.filter(kind="run_action", step_id=step_id, status=Command.RUNNING).last()
    if row is None:
        return ""
    again = f", taken up {row.tries} times: a worker was lost over it" if row.tries > 1 else ""
    return again + words_on(run, row)


def _why_below(child: Run, look: bool) -> list[str]:
    """What a person has to do in a child that cannot go on by itself, or in a run below it.

    Where there is nothing to do for a person, and `look` says so, what the child itself waits for.
    """
    stuck = [child] if child.status in STUCK else blocked_descendants(child)
    told = [(run, line) for run in stuck for line in why(run)]
    if look and not told and not RunStatus(child.status).is_end:
        told = [(child, line) for line in _lines(child, children=0)[:MOST_LINES]]
    return [f"child run '{run.workflow_id}' ({run.status}): {line}" for run, line in told]


def _undo_error(run: Run, step_id: str, step: StepState) -> str:
    last = run.commands.filter(kind="run_action", step_id=step_id, purpose=Purpose.UNDO, iteration=step.in_hand).last()
    return f" ({last.error})" if last is not None and last.error else ""


def _next_try(run: Run, plan: Plan, state: SagaState, step_id: str) -> str:
    due = next_try(run, plan, step_id, state.step(step_id))
    return f"; next at {iso(due)}" if due else ""


def _machinery(said: Report, step_id: str, purpose: Purpose, step: StepState) -> str:
    """That our machinery failed over this attempt, and performs it once more."""
    forward = purpose is Purpose.FORWARD
    attempt, iteration = (step.attempt, step.iteration) if forward else (step.undo_attempt, step.in_hand)
    again = said.retries.get((step_id, purpose.value, iteration, attempt))
    return f"; {again}" if again else ""
