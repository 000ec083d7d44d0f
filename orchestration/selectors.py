"""Reads. What a run looks like to the console, the API and the pages: one shape for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from orchestration.core.plan import Plan
from orchestration.core.state import SagaState, StepState
from orchestration.core.undo import is_owed
from orchestration.core.words import Answer, Outcome, Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.flows import kept
from orchestration.ledger import load_state
from orchestration.models import Command, Event, Run
from orchestration.plans import definition_of, plan_of

PROBLEM_STATUSES = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.SKIPPED)


def run_view(run: Run) -> dict[str, Any]:
    """The run as one JSON object (docs: the console's contract)."""
    plan, state = plan_of(run), load_state(run)
    attempts = _attempts(run)
    steps = [_step_view(run, plan, state, step_id, attempts.get(step_id, [])) for step_id in plan.order]
    return {
        "workflow_id": run.workflow_id,
        "kind": run.kind,
        "saga_id": run.definition.saga_id,
        "definition_version": run.definition.version,
        "engine": run.engine,
        "status": run.status,
        "cause": run.cause or None,
        "hold_reason": state.hold_reason,
        "warnings": warnings_of_run(run, plan, state),
        "result": _result(run, steps),
        "error": _error(run, steps),
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "steps": steps,
    }


def run_row(run: Run) -> dict[str, Any]:
    """A run as a row of a list."""
    return {
        "workflow_id": run.workflow_id,
        "kind": run.kind,
        "engine": run.engine,
        "status": run.status,
        "cause": run.cause or None,
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
    }


def runs(*, statuses: Iterable[str] = (), saga_id: str = "", engine: str = "", run_kind: str = "") -> QuerySet[Run]:
    found = Run.objects.select_related("definition")
    if statuses:
        found = found.filter(status__in=list(statuses))
    if saga_id:
        found = found.filter(definition__saga_id=saga_id)
    if run_kind:
        found = found.filter(kind=run_kind)
    return found.filter(engine=engine) if engine else found


def event_view(event: Event) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "at": iso(event.at),
        "kind": event.kind,
        "step_id": event.step_id or None,
        "data": event.data,
    }


def run_events(run: Run, *, after: int = 0) -> QuerySet[Event]:
    """The run's events in order, from the one after `after`."""
    return run.events.filter(seq__gt=after).order_by("seq")


CLOSED_BY = {
    Answer.DONE_BY_HAND: "was undone by hand",
    Answer.ALTERNATIVE: "was undone by an alternative",
    Answer.ACCEPT_LOSS: "still stands: its loss was accepted",
}


def warnings_of_run(run: Run, plan: Plan, state: SagaState) -> list[str]:
    """What an end state must not hide: undone by hand, standing without undo, failed but not critical."""
    found = [line for step_id in plan.order for line in _warnings_of_step(run, plan, state, step_id)]
    return found + [
        line for child in run.children.exclude(finished_at=None).order_by("id") for line in _of_child(child)
    ]


def _of_child(child: Run) -> list[str]:
    """A child's warnings, and those of the runs below it, each under the name of its run."""
    if kept(child.kind) is not None:
        return []
    found = warnings_of_run(child, plan_of(child), load_state(child))
    return [line if line.startswith("child run ") else f"child run '{child.workflow_id}': {line}" for line in found]


def _warnings_of_step(run: Run, plan: Plan, state: SagaState, step_id: str) -> Iterator[str]:
    step, plan_step = state.step(step_id), plan.steps[step_id]
    for effect in step.effects:
        name = f"step '{step_id}'" + (f" in iteration {effect.iteration}" if step.iteration > 1 else "")
        if effect.resolution in CLOSED_BY:
            yield f"{name} {CLOSED_BY[effect.resolution]}"
        stopped = run.status == RunStatus.FORCE_STOPPED
        if (state.undoing or stopped) and plan_step.acts and not plan_step.has_undo:
            yield f"{name} {_stands(step, effect.iteration)}"
        if stopped and plan_step.has_undo and effect.stands and effect.resolution is None:
            yield f"{name} may still stand: the run was force-stopped"
    if run.status == RunStatus.COMPLETED and step.status in PROBLEM_STATUSES:
        yield f"step '{step_id}' is {step.status}, and the run went on without it"


def _stands(step: StepState, iteration: int) -> str:
    """A timeout, or answers that say nothing, leave open whether it ran."""
    if iteration == step.iteration and step.status is not StepStatus.SUCCEEDED:
        return "may have run and has no compensation: it may still stand"
    return "ran and has no compensation: it still stands"


def child_of(run: Run, step_id: str, iteration: int) -> Run | None:
    return run.children.filter(parent_step=step_id, parent_iteration=iteration).order_by("id").last()


def _attempts(run: Run) -> dict[str, list[Command]]:
    found: dict[str, list[Command]] = {}
    for row in run.commands.filter(kind="run_action").order_by("id"):
        found.setdefault(row.step_id, []).append(row)
    return found


def _step_view(run: Run, plan: Plan, state: SagaState, step_id: str, attempts: list[Command]) -> dict[str, Any]:
    step = state.step(step_id)
    forward = [row for row in attempts if row.purpose == Purpose.FORWARD and row.iteration == step.iteration]
    undo = [row for row in attempts if row.purpose == Purpose.UNDO and row.iteration == step.in_hand]
    view: dict[str, Any] = {
        "step_id": step_id,
        "status": step.status.value,
        "attempts": step.attempt - _held_back(forward),
        "output": _output(run, step_id, step, forward),
        "error": _forward_error(step, forward),
        "compensation": {
            "status": _undo_status(plan, step_id, step).value,
            "attempts": step.undo_attempt - _held_back(undo),
            "error": _compensation_error(step, forward, undo),
        },
    }
    tries = max((row.tries for row in (*forward, *undo)), default=1)
    if tries > 1:
        view["possibly_repeated"] = tries
    before = [effect for effect in step.effects if effect.iteration != step.iteration]
    if before:
        view["earlier"] = [{"iteration": effect.iteration, "compensation": effect.undo.value} for effect in before]
    return view


def _held_back(rows: list[Command]) -> int:
    """Attempts that a circuit breaker held back: nothing was tried."""
    return sum(row.outcome == Outcome.PARKED and row.retry_after is not None for row in rows)


def _forward_error(step: StepState, forward: list[Command]) -> str:
    """An attempt that found its gate shut has failed at nothing; `why` says what it waits for."""
    if not forward or step.status is StepStatus.SUCCEEDED or forward[-1].outcome == Outcome.PARKED:
        return ""
    return str(forward[-1].error)


def _compensation_error(step: StepState, forward: list[Command], undo: list[Command]) -> str:
    """Why it failed; before it is tried, why it would: that it cannot be filled in is known when its step ends."""
    if undo:
        return undo[-1].error if step.undo is not UndoStatus.COMPENSATED else ""
    frozen = forward[-1].undo_action if forward and step.executed else None
    return str(frozen["error"]) if isinstance(frozen, dict) and "type" not in frozen else ""


def _undo_status(plan: Plan, step_id: str, step: StepState) -> UndoStatus:
    """Of the iteration in hand; once all are closed, whether any of them was not undone."""
    lost = plan.steps[step_id].has_undo and any(effect.undo is UndoStatus.FAILED for effect in step.effects)
    return UndoStatus.FAILED if lost and not is_owed(step) else step.undo


def _output(run: Run, step_id: str, step: StepState, forward: list[Command]) -> Any:
    if step.status is StepStatus.SUCCEEDED:
        return forward[-1].output if forward else {}
    if not step.settled:
        return None
    return next(s.default_output for s in definition_of(run).steps if s.step_id == step_id)


def _result(run: Run, steps: list[dict[str, Any]]) -> dict[str, Any] | None:
    if run.status != RunStatus.COMPLETED:
        return None
    return {step["step_id"]: step["output"] for step in steps if step["output"] is not None}


def _error(run: Run, steps: list[dict[str, Any]]) -> str:
    """Its engine's trouble, else the first error that sent the run off its way."""
    if run.status == RunStatus.COMPLETED:
        return ""
    if run.error and not run.finished_at:
        return run.error
    failed = [s for s in steps if s["status"] in (StepStatus.FAILED, StepStatus.UNKNOWN) and s["error"]]
    return f"step '{failed[0]['step_id']}': {failed[0]['error']}" if failed else run.error


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
