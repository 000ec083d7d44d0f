"""Perform one attempt of a step's action: the same code on every engine.

The engine writes the attempt's row `running` before it calls `perform_attempt`, and stores what comes back with
`store_end` in the transaction of its own choosing.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from pydantic import JsonValue

from orchestration import going_on, sql
from orchestration.actions.base import Call, Result
from orchestration.actions.child import child_id
from orchestration.actions.perform import AFTER, BEFORE, UNASKED, perform
from orchestration.clock import now
from orchestration.core.definition import Action, ApiCall, SagaDefinition, StepDefinition
from orchestration.core.events import ActionEnded
from orchestration.core.keys import idempotency_key
from orchestration.core.plan import Plan
from orchestration.core.templates import (
    MissingOutput,
    Scope,
    TemplateError,
    render_action,
    render_text,
)
from orchestration.core.words import Cause, Outcome, Purpose
from orchestration.filling import about_own, frozen_undo, own_output, plain, probe_of, response_in, scope_of
from orchestration.gates import Knock, Shut, gate
from orchestration.models import Command, Run, Worker
from orchestration.plans import definition_of, plan_of
from orchestration.selectors import child_of
from orchestration.stopping import AskedToStop

SINCE = "polling_since"
"""Key of a parked attempt's `detail`: when the first call of its `until` was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What an attempt came to. `undo_action`: the compensation, rendered and frozen (rule 8)."""

    outcome: Outcome
    maybe: bool = False
    probed: bool = False
    retry_after: float | None = None
    error: str = ""
    output: JsonValue = None
    undo_action: JsonValue = None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    deferred: bool = False
    resume_at: datetime | None = None
    cause: Cause | None = None

    def event(self, row: Command, at: datetime) -> ActionEnded:
        return ActionEnded(
            at=at,
            step_id=row.step_id,
            purpose=Purpose(row.purpose),
            iteration=row.iteration,
            attempt=row.attempt,
            outcome=self.outcome,
            maybe=self.maybe,
            probed=self.probed,
            retry_after=self.retry_after,
            error=self.error[:2000],
            resume_at=self.resume_at,
            cause=self.cause,
            tries=max(1, row.tries),
        )


def perform_attempt(run: Run, row: Command, cancelled: threading.Event | None = None) -> Ended:
    """Render, call, classify. Reads the ledger, writes nothing. Raises only on faults of our own machinery."""
    definition, plan = definition_of(run), plan_of(run)
    step = next(s for s in definition.steps if s.step_id == row.step_id)
    stop = cancelled or AskedToStop(row)
    if row.purpose == Purpose.FORWARD:
        return _forward(run, row, definition, step, plan, stop)
    return _undo(run, row, definition, step, stop)


def store_end(row: Command, ended: Ended | None, at: datetime) -> bool:
    """Write one end, as `ends_of` says; False when the claim has passed to another worker."""
    return any(sql.rows_of(*ends_of([(row, ended, at)]))[0])


def ends_of(ends: Sequence[tuple[Command, Ended | None, datetime]]) -> list[sql.Statement]:
    """What writes the ends of claimed commands on their rows; None for a timer and for an attempt that was given up.

    It returns the ids that were written: a claim that has passed to another worker is not among them.
    """
    return sql.update(
        "orchestration_command",
        ("=epoch", "status", "ended_at", "outcome", "maybe", "retry_after", "error", "output", "undo_action", "detail"),
        ("integer", "varchar", "timestamptz", "varchar", "boolean", "float8", "text", "jsonb", "jsonb", "jsonb"),
        [(row.pk, row.epoch, Command.DONE, sql.moment(at), *_columns(ended)) for row, ended, at in ends],
        where="AND t.epoch = v.epoch AND t.status <> 'done'",
    )


def _columns(ended: Ended | None) -> tuple[object, ...]:
    if ended is None:
        return ("", False, None, "", None, None, "{}")
    detail = dict(ended.detail) | ({"probed": True} if ended.probed else {})
    if ended.resume_at:
        detail["resume_at"] = ended.resume_at.isoformat()
    if ended.cause:
        detail["cause"] = ended.cause.value
    return (
        ended.outcome.value,
        ended.maybe,
        ended.retry_after,
        ended.error,
        None if ended.output is None else sql.as_json(ended.output),
        None if ended.undo_action is None else sql.as_json(ended.undo_action),
        sql.as_json(detail),
    )


def stored_end(row: Command) -> Ended:
    """What `store_end` wrote: an attempt that is asked for again answers from its row."""
    return Ended(
        outcome=Outcome(row.outcome),
        maybe=row.maybe,
        probed=bool(row.detail.get("probed")),
        resume_at=datetime.fromisoformat(row.detail["resume_at"]) if "resume_at" in row.detail else None,
        cause=Cause(row.detail["cause"]) if "cause" in row.detail else None,
        retry_after=row.retry_after,
        error=row.error,
        output=row.output,
    )


def key_of(run: Run, row: Command, definition: SagaDefinition, custom: str = "", *, alternative: int = 0) -> str:
    """The same for every attempt; never an attempt number or an engine's id (rule 5)."""
    return idempotency_key(
        workflow_id=run.workflow_id,
        saga_id=definition.saga_id,
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        custom=custom,
        scope=definition.idempotency_scope,
        rules=run.rules,
        alternative=alternative,
    )


def _forward(
    run: Run, row: Command, definition: SagaDefinition, step: StepDefinition, plan: Plan, cancelled: threading.Event
) -> Ended:
    if plan.steps[row.step_id].has_undo and _undo_has_begun(run, row):
        return Ended(outcome=Outcome.FAILED, error="refused: the compensation of this step has begun already")
    scope = scope_of(run, definition, plan, step, row.iteration)
    try:
        action = render_action(plain(step.forward_action), scope)
        custom = _key_text(render_text(step.idempotency_key, scope)) if step.idempotency_key else ""
        ask = render_action(plain(step.approval), scope) if step.approval else None
    except MissingOutput as missing:
        return Ended(outcome=Outcome.SKIPPED, error=str(missing))
    except TemplateError as error:
        return Ended(outcome=Outcome.FAILED, error=str(error))
    key = key_of(run, row, definition, custom)
    if plan.steps[row.step_id].gated:
        answer = gate()(Knock(run=run, row=row, step=step, key=key, ask=ask or action, action=action if ask else None))
        if isinstance(answer, Shut):
            outcome = Outcome.PARKED if answer.parked else Outcome.FAILED
            return Ended(outcome=outcome, error=answer.why, cause=answer.cause)
        if answer.action is None:
            return Ended(outcome=Outcome.SUCCEEDED, output=answer.output)
        action = dict(answer.action)
    probe, mute = probe_of(step, scope)
    before = _parked_before(run, row) if probe is not None or _polls(action) else {}
    unasked, since = str(before.get(UNASKED, "")), _polling_since(before)
    call = _call(run, row, step, action, key, cancelled, route=_route(step.forward_action), since=since)
    _still_ours(run, row)
    result = perform(
        call,
        probe=probe,
        probe_route=_route(step.probe_action),
        probe_first=row.tries > 1 or unasked == BEFORE,
        probe_only=unasked == AFTER,
        output_schema=step.output_schema,
    )
    if mute and (result.maybe or result.outcome is Outcome.UNKNOWN):
        result = dataclasses.replace(result, error=f"{result.error}; {mute}")
    return _ended(_polling(result, action, since), row, step, scope)


def _undo(
    run: Run, row: Command, definition: SagaDefinition, step: StepDefinition, cancelled: threading.Event
) -> Ended:
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
        return Ended(outcome=Outcome.FAILED, error=str(reason))
    route = "" if row.alternative else _route(step.compensation_action)
    since = _polling_since(_parked_before(run, row) if _polls(action) else {})
    call = _call(
        run, row, step, action, key_of(run, row, definition, alternative=number), cancelled, route=route, since=since
    )
    _still_ours(run, row)
    return _ended(_polling(perform(call), action, since), row, step, None)


class TakenOver(Exception):
    """The claim has passed to another worker, or is about to."""


def _still_ours(run: Run, row: Command) -> None:
    """Asked right before the call, of a claim that is not quite new: this process may have stood still meanwhile
    (SIGSTOP, a machine that was suspended) for longer than its lease. Raises TakenOver.
    """
    half = timedelta(seconds=settings.ZEN_WORKER_LEASE_SECONDS / 2)
    if row.started_at is None or now() - row.started_at < half:
        return
    mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
    if run.engine == "celery":
        mine = mine.filter(worker__in=Worker.objects.filter(lease_until__gt=now()).values("name"))
    if not mine.exists():
        raise TakenOver(f"{row} was claimed {now() - row.started_at} ago, and may be another worker's by now")


def _child_id(run: Run, row: Command) -> str:
    child = child_of(run, row.step_id, row.iteration)
    return child.workflow_id if child else child_id(run.workflow_id, row.step_id, row.iteration)


def _late_undo_action(run: Run, step: StepDefinition, iteration: int) -> JsonValue:
    """The forward attempt never reported (its worker was lost for good): render from what is known."""
    definition, plan = definition_of(run), plan_of(run)
    return frozen_undo(step, about_own(step, scope_of(run, definition, plan, step, iteration), None))


def _ended(result: Result, row: Command, step: StepDefinition, scope: Scope | None) -> Ended:
    undo_action: JsonValue = None
    untouched = result.outcome is Outcome.SKIPPED or (result.outcome is Outcome.PARKED and not result.maybe)
    if scope is not None and not untouched and not result.deferred:
        undo_action = frozen_undo(step, about_own(step, scope, own_output(result), response_in(result.detail)))
    detail = dict(result.detail) | ({"possibly_repeated": True} if row.tries > 1 else {})
    return Ended(
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
    )


def _parked_before(run: Run, row: Command) -> Mapping[str, JsonValue]:
    """What the attempt before kept, when it was parked: by a circuit breaker, or because `until` did not hold yet."""
    before = row.attempt - 1
    if not before:
        return {}
    attempts = run.commands.filter(
        kind="run_action", step_id=row.step_id, purpose=row.purpose, iteration=row.iteration, attempt=before
    )
    return attempts.filter(outcome=Outcome.PARKED).values_list("detail", flat=True).first() or {}


def _polls(action: Mapping[str, JsonValue]) -> bool:
    return action.get("type") == "api_call" and action.get("until") is not None


def _polling_since(before: Mapping[str, JsonValue]) -> datetime:
    """When the first call of an `until` was made; now, when this is the first."""
    since = before.get(SINCE)
    return datetime.fromisoformat(since) if isinstance(since, str) else now()


def _polling(result: Result, action: Mapping[str, JsonValue], since: datetime) -> Result:
    """The next call of an `until` has to know when the first was made."""
    if result.outcome is not Outcome.PARKED or not _polls(action):
        return result
    return dataclasses.replace(result, detail={**result.detail, SINCE: since.isoformat()})


def _route(action: Action | None) -> str:
    """The URL of an api_call as its author wrote it; '' for other actions."""
    return action.url if isinstance(action, ApiCall) else ""


def _call(
    run: Run,
    row: Command,
    step: StepDefinition,
    action: Mapping[str, JsonValue],
    key: str,
    cancelled: threading.Event,
    *,
    route: str,
    since: datetime,
) -> Call:
    return Call(
        workflow_id=run.workflow_id,
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        attempt=row.attempt,
        idempotency_key=key,
        timeout_seconds=step.effective_timeout_seconds,
        action=action,
        polled_seconds=max(0.0, (now() - since).total_seconds()) if _polls(action) else 0.0,
        breaker=step.breaker or "",
        route=route,
        cancelled=cancelled,
        goes_on=partial(going_on.note, run, row),
    )


def _undo_has_begun(run: Run, row: Command) -> bool:
    return run.commands.filter(step_id=row.step_id, iteration=row.iteration, purpose=Purpose.UNDO).exists()


def _key_text(key: str) -> str:
    if "\r" in key or "\n" in key:
        raise TemplateError("the idempotency_key would contain a line break")
    return key
