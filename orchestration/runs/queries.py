"""What a run looks like to the console, the API and the pages: one JSON shape for all. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from foundation.clock import iso
from foundation.secrets.masking import masked
from notifications.services import existing_channels
from orchestration.core.enums import Outcome, Purpose, RunStatus, StepStatus, UndoStatus
from orchestration.core.saga.compensation import is_owed
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.state import SagaState, StepState
from orchestration.ledger.outcome import attempts_of, forward_attempts, forward_error, run_error, warnings_of_run
from orchestration.ledger.plan_cache import compiled_plan, definition_of
from orchestration.ledger.store import load_state
from orchestration.models import Command, Event, Run
from orchestration.runs.archive.views import archive_of, told, with_kept


def run_view(run: Run) -> dict[str, Any]:
    """The run as one JSON object (docs/reference/api.md); times are ISO 8601 in UTC."""
    plan, state, archive = compiled_plan(run), load_state(run), archive_of(run)
    attempts = {} if archive else attempts_of(run)
    steps = [_step_view(run, plan, state, step_id, attempts.get(step_id, [])) for step_id in plan.order]
    kept = archive.view if archive else {}
    if archive:
        steps = with_kept(steps, kept)
    return {
        "workflow_id": run.workflow_id,
        "kind": run.kind,
        "saga_id": run.definition.saga_id,
        "definition_version": run.definition.version,
        "engine": run.engine,
        "status": run.status,
        "cause": run.cause or None,
        "context": masked(run.context),
        "config": masked(run.config),
        "hold_reason": state.hold_reason,
        "warnings": kept.get("warnings") or [*unheard(run), *warnings_of_run(run, plan, state)],
        "result": _result(run, steps),
        "error": kept.get("error") or run_error(run, plan, state, attempts),
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "archived": told(archive),
        "steps": steps,
    }


def unheard(run: Run) -> list[str]:
    """The channels of its configuration that do not exist, in words."""
    return nobody_hears([str(name) for name in run.config.get("notification_channels") or ()])


def nobody_hears(names: Sequence[str]) -> list[str]:
    """The names of channels that do not exist, in words."""
    there = existing_channels(names)
    return [
        f"nobody hears by {name}: there is no such channel; an administrator makes it"
        for name in names
        if name not in there
    ]


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
    """The runs that match, their definitions with them; an empty filter matches all."""
    found = Run.objects.select_related("definition")
    if statuses:
        found = found.filter(status__in=list(statuses))
    if saga_id:
        found = found.filter(definition__saga_id=saga_id)
    if run_kind:
        found = found.filter(kind=run_kind)
    return found.filter(engine=engine) if engine else found


def event_view(event: Event) -> dict[str, Any]:
    """An entry of a run's event log as JSON."""
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


def child_of(run: Run, step_id: str, iteration: int) -> Run | None:
    """The child run that a step started in an iteration; None when it has none."""
    return run.children.filter(parent_step=step_id, parent_iteration=iteration).order_by("id").last()


def _step_view(run: Run, plan: Plan, state: SagaState, step_id: str, attempts: list[Command]) -> dict[str, Any]:
    step = state.step(step_id)
    forward = forward_attempts(step, attempts)
    undo = [row for row in attempts if row.purpose == Purpose.UNDO and row.iteration == step.in_hand]
    view: dict[str, Any] = {
        "step_id": step_id,
        "status": step.status.value,
        "attempts": step.attempt - _held_back(forward),
        "output": _output(run, step_id, step, forward),
        "error": forward_error(step, forward),
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
    """Attempts that were put off, such as by a circuit breaker, and those that waited for what another one goes on
    with, such as the yes of a gate.
    """
    parked = [row for row in rows if row.outcome == Outcome.PARKED]
    return sum(row.retry_after is not None or row is not rows[-1] for row in parked)


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
