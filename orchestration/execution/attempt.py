"""Perform one attempt of a step's action.

The engine writes the attempt's row `running` before it calls `perform_attempt`, and stores the result with `store_end`
in a transaction of its own choosing.
"""

from __future__ import annotations

import dataclasses
import threading

from pydantic import JsonValue

from orchestration.actions.base import Result
from orchestration.attempt_log.current import attempt
from orchestration.core.definition import SagaDefinition, StepDefinition
from orchestration.core.enums import Outcome, Purpose
from orchestration.core.saga.plan import Plan
from orchestration.core.templates import (
    MissingOutput,
    Scope,
    TemplateError,
    render_action,
    render_text,
)
from orchestration.execution.attempt_result import AttemptResult
from orchestration.execution.call import (
    call_for,
    key_of,
    key_text,
    parked_before,
    polling_since,
    polls,
    route_of,
    with_polling_since,
)
from orchestration.execution.cancellation import CancellationFlag
from orchestration.execution.child_run import child_id
from orchestration.execution.claim_check import require_claim
from orchestration.execution.inputs import about_own, plain, render_compensation, render_probe, scope_of
from orchestration.execution.measure import measuring
from orchestration.execution.outputs import own_output, response_in
from orchestration.execution.perform import AFTER, BEFORE, UNASKED, perform
from orchestration.ledger.plan_cache import compiled_plan, definition_of
from orchestration.models import Command, Run
from orchestration.ports import GateClosed, GateRequest, approval_gate
from orchestration.runs.queries import child_of


def perform_attempt(run: Run, row: Command, cancelled: threading.Event | None = None) -> AttemptResult:
    """Render, call, classify. Does not write the end.

    `cancelled`: set when the result is not wanted any more; without one the attempt's row is asked.

    Raises:
        TakenOver: another worker has the claim by now.
        Exception: any other fault of the machinery, such as a database that is away. Never the action's own failure.
    """
    definition, plan = definition_of(run), compiled_plan(run)
    step = next(s for s in definition.steps if s.step_id == row.step_id)
    stop = cancelled or CancellationFlag(row)
    with attempt(
        run_id=run.pk, workflow_id=run.workflow_id, engine=run.engine, step_id=row.step_id, purpose=row.purpose,
        iteration=row.iteration, attempt=row.attempt, claim=row.epoch,
    ), measuring(run, row, definition.saga_id, step) as done:  # fmt: skip
        if row.purpose == Purpose.FORWARD:
            return done(_forward(run, row, definition, step, plan, stop))
        return done(_undo(run, row, definition, step, stop))


def _forward(
    run: Run, row: Command, definition: SagaDefinition, step: StepDefinition, plan: Plan, cancelled: threading.Event
) -> AttemptResult:
    if plan.steps[row.step_id].has_undo and _undo_has_begun(run, row):
        return AttemptResult(outcome=Outcome.FAILED, error="refused: the compensation of this step has begun already")
    scope = scope_of(run, definition, plan, step, row.iteration)
    try:
        action = render_action(plain(step.forward_action), scope)
        custom = key_text(render_text(step.idempotency_key, scope)) if step.idempotency_key else ""
        ask = render_action(plain(step.approval), scope) if step.approval else None
    except MissingOutput as missing:
        return AttemptResult(outcome=Outcome.SKIPPED, error=str(missing))
    except TemplateError as error:
        return AttemptResult(outcome=Outcome.FAILED, error=str(error))
    key = key_of(run, row, definition, custom)
    if plan.steps[row.step_id].gated:
        asked = GateRequest(run=run, row=row, step=step, key=key, ask=ask or action, action=action if ask else None)
        answer = approval_gate().evaluate(asked)
        if isinstance(answer, GateClosed):
            outcome = Outcome.PARKED if answer.parked else Outcome.FAILED
            return AttemptResult(outcome=outcome, error=answer.why, cause=answer.cause)
        if answer.action is None:
            return AttemptResult(outcome=Outcome.SUCCEEDED, output=answer.output)
        action = dict(answer.action)
    probe, mute = render_probe(step, scope)
    before = parked_before(run, row) if probe is not None or polls(action) else {}
    unasked, since = str(before.get(UNASKED, "")), polling_since(before)
    call = call_for(run, row, step, action, key, cancelled, route=route_of(step.forward_action), since=since)
    require_claim(run, row)
    result = perform(
        call,
        probe=probe,
        probe_route=route_of(step.probe_action),
        probe_first=row.tries > 1 or unasked == BEFORE,
        probe_only=unasked == AFTER,
        output_schema=step.output_schema,
    )
    if mute and (result.maybe or result.outcome is Outcome.UNKNOWN):
        result = dataclasses.replace(result, error=f"{result.error}; {mute}")
    return _ended(with_polling_since(result, action, since), row, step, scope)


def _undo(
    run: Run, row: Command, definition: SagaDefinition, step: StepDefinition, cancelled: threading.Event
) -> AttemptResult:
    forward = (
        run.commands.filter(step_id=row.step_id, purpose=Purpose.FORWARD, iteration=row.iteration, kind="run_action")
        .exclude(undo_action=None)
        .order_by("-attempt")
        .first()
    )
    number = 0
    if row.alternative:
        given = run.commands.get(kind="alternative", step_id=row.step_id, iteration=row.iteration)
        action, number = given.undo_action, int(given.detail.get("number", 0))
    elif step.compensation_action is None:
        action = {"type": "saga", "workflow_id": _child_id(run, row)}
    elif forward is None:
        action = _late_undo_action(run, step, row.iteration)
    else:
        action = forward.undo_action
    if not isinstance(action, dict) or "type" not in action:
        reason = action.get("error") if isinstance(action, dict) else "the step left no inputs for its compensation"
        return AttemptResult(outcome=Outcome.FAILED, error=str(reason))
    route = "" if row.alternative else route_of(step.compensation_action)
    since = polling_since(parked_before(run, row) if polls(action) else {})
    call = call_for(
        run, row, step, action, key_of(run, row, definition, alternative=number), cancelled, route=route, since=since
    )
    require_claim(run, row)
    return _ended(with_polling_since(perform(call), action, since), row, step, None)


def _child_id(run: Run, row: Command) -> str:
    child = child_of(run, row.step_id, row.iteration)
    return child.workflow_id if child else child_id(run.workflow_id, row.step_id, row.iteration)


def _late_undo_action(run: Run, step: StepDefinition, iteration: int) -> JsonValue:
    """The forward attempt never reported (its worker was lost for good): render from what is known."""
    definition, plan = definition_of(run), compiled_plan(run)
    return render_compensation(step, about_own(step, scope_of(run, definition, plan, step, iteration), None))


def _ended(result: Result, row: Command, step: StepDefinition, scope: Scope | None) -> AttemptResult:
    undo_action: JsonValue = None
    untouched = result.outcome is Outcome.SKIPPED or (result.outcome is Outcome.PARKED and not result.maybe)
    if scope is not None and not untouched and not result.deferred:
        undo_action = render_compensation(step, about_own(step, scope, own_output(result), response_in(result.detail)))
    detail = dict(result.detail) | ({"possibly_repeated": True} if row.tries > 1 else {})
    return AttemptResult(
        outcome=result.outcome,
        maybe=result.maybe or result.outcome is Outcome.UNKNOWN,
        probed=bool(result.detail.get("probed")),
        retry_after=result.retry_after,
        error=result.error,
        output=result.output,
        undo_action=undo_action,
        detail=detail,
        deferred=result.deferred,
        resume_at=result.resume_at,
        cause=result.cause,
    )


def _undo_has_begun(run: Run, row: Command) -> bool:
    return run.commands.filter(step_id=row.step_id, iteration=row.iteration, purpose=Purpose.UNDO).exists()
