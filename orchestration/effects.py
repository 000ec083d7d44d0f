"""Perform one attempt of a step's action: the same code on every engine.

The engine writes the attempt's row `running` before it calls `perform_attempt`, and stores what comes back with
`store_end` in the transaction of its own choosing.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from orchestration import sql
from orchestration.actions.base import Call, Result
from orchestration.actions.child import child_id
from orchestration.actions.perform import perform
from orchestration.core.compile import ancestors_by_distance
from orchestration.core.definition import SagaDefinition, StepDefinition
from orchestration.core.definition.own import forward_names
from orchestration.core.events import ActionEnded
from orchestration.core.plan import Plan
from orchestration.core.templates import (
    MissingOutput,
    OwnMissing,
    Scope,
    TemplateError,
    placeholders,
    render_action,
    render_text,
)
from orchestration.core.words import Cause, Outcome, Purpose, StepStatus
from orchestration.gates import Knock, Shut, gate
from orchestration.models import Command, Run
from orchestration.plans import definition_of, plan_of
from orchestration.stopping import AskedToStop

OWN_MISSING = (
    "Look whether the effect stands: undo it and answer done-by-hand, or answer alternative with an action that names "
    "it; accept-loss leaves it"
)


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
    return _undo(run, row, step, stop)


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
        where="AND t.epoch = v.epoch AND t.status = 'running'",
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


def idempotency_key(run: Run, row: Command, custom: str = "") -> str:
    """The same for every attempt; never an attempt number or an engine's id (rule 5)."""
    return f"{custom or f'{run.workflow_id}:{row.step_id}'}:{row.purpose}:{row.iteration}"


def _forward(
    run: Run, row: Command, definition: SagaDefinition, step: StepDefinition, plan: Plan, cancelled: threading.Event
) -> Ended:
    if plan.steps[row.step_id].has_undo and _undo_has_begun(run, row):
        return Ended(outcome=Outcome.FAILED, error="refused: the compensation of this step has begun already")
    scope = _scope(run, definition, plan, step, row.iteration)
    try:
        action = render_action(_plain(step.forward_action), scope)
        custom = _key_text(render_text(step.idempotency_key, scope)) if step.idempotency_key else ""
        ask = render_action(_plain(step.approval), scope) if step.approval else None
    except MissingOutput as missing:
        return Ended(outcome=Outcome.SKIPPED, error=str(missing))
    except TemplateError as error:
        return Ended(outcome=Outcome.FAILED, error=str(error))
    key = idempotency_key(run, row, custom)
    if plan.steps[row.step_id].gated:
        answer = gate()(Knock(run=run, row=row, step=step, key=key, ask=ask or action, action=action if ask else None))
        if isinstance(answer, Shut):
            outcome = Outcome.PARKED if answer.parked else Outcome.FAILED
            return Ended(outcome=outcome, error=answer.why, cause=answer.cause)
        if answer.action is None:
            return Ended(outcome=Outcome.SUCCEEDED, output=answer.output)
        action = dict(answer.action)
    probe, mute = _probe_of(step, scope)
    call = _call(run, row, step, action, key, cancelled)
    repeated = row.tries > 1 and probe is not None
    result = perform(call, probe=probe, probe_first=repeated, output_schema=step.output_schema)
    if mute and (result.maybe or result.outcome is Outcome.UNKNOWN):
        result = dataclasses.replace(result, error=f"{result.error}; {mute}")
    return _ended(result, row, step, scope)


def _undo(run: Run, row: Command, step: StepDefinition, cancelled: threading.Event) -> Ended:
    forward = (
        run.commands.filter(step_id=row.step_id, purpose=Purpose.FORWARD, iteration=row.iteration, kind="run_action")
        .exclude(undo_action=None)
        .order_by("-attempt")
        .first()
    )
    if row.alternative:
        action = run.commands.get(kind="alternative", step_id=row.step_id, iteration=row.iteration).undo_action
    elif step.compensation_action is None:
        action = {"type": "saga", "workflow_id": child_id(run.workflow_id, row.step_id, row.iteration)}
    elif forward is None:
        action = _late_undo_action(run, step, row.iteration)
    else:
        action = forward.undo_action
    if not isinstance(action, dict) or "error" in action:
        reason = action.get("error") if isinstance(action, dict) else "the step left no inputs for its compensation"
        return Ended(outcome=Outcome.FAILED, error=str(reason))
    call = _call(run, row, step, action, idempotency_key(run, row), cancelled)
    return _ended(perform(call), row, step, None)


def _late_undo_action(run: Run, step: StepDefinition, iteration: int) -> JsonValue:
    """The forward attempt never reported (its worker was lost for good): render from what is known."""
    definition, plan = definition_of(run), plan_of(run)
    return _frozen_undo(step, _about_own(step, _scope(run, definition, plan, step, iteration), None))


def _frozen_undo(step: StepDefinition, scope: Scope) -> JsonValue:
    if step.compensation_action is None:
        return None
    try:
        return dict(render_action(_plain(step.compensation_action), scope))
    except OwnMissing as error:
        hint = "" if step.probe_action else "; a probe_action would have asked"
        return {"error": f"the compensation cannot be filled in: {error}{hint}. {OWN_MISSING}"}
    except TemplateError as error:
        return {"error": f"the compensation cannot be filled in: {error}"}


def _ended(result: Result, row: Command, step: StepDefinition, scope: Scope | None) -> Ended:
    undo_action: JsonValue = None
    if scope is not None and result.outcome is not Outcome.SKIPPED and not result.deferred:
        undo_action = _frozen_undo(step, _about_own(step, scope, _own_output(result)))
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


def _call(
    run: Run, row: Command, step: StepDefinition, action: Mapping[str, JsonValue], key: str, cancelled: threading.Event
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
        cancelled=cancelled,
    )


def _scope(run: Run, definition: SagaDefinition, plan: Plan, step: StepDefinition, iteration: int) -> Scope:
    """What the step's templates can see. A step that looks nothing up, or only names steps, costs no walk."""
    actions = (step.forward_action, step.compensation_action, step.probe_action, step.approval)
    names = placeholders([_plain(action) for action in actions if action is not None])
    names |= placeholders(step.idempotency_key)
    heads = {name.split(".")[0] for name in names}
    only_named_steps = all("." in name for name in names) and heads <= plan.steps.keys()
    levels: tuple[tuple[str, ...], ...] = ()
    if only_named_steps:
        levels = (tuple(heads - {step.step_id}),)
    elif heads:
        levels = ancestors_by_distance(plan, step.step_id)
    outputs, missing = outputs_of(run, definition, [s for level in levels for s in level], iteration)
    upstream = tuple({s: outputs[s] for s in level if s in outputs} for level in levels)
    return Scope(own=None, step_id=step.step_id, upstream=upstream, context=run.context, missing=frozenset(missing))


def _about_own(step: StepDefinition, scope: Scope, own: dict[str, JsonValue] | None) -> Scope:
    """For what is about the step's own effect: no other step's output stands in for its own (rule 3)."""
    return dataclasses.replace(scope, own=own, shared=forward_names(step))


def _own_output(result: Result) -> dict[str, JsonValue] | None:
    """None: it is not known."""
    if isinstance(result.output, dict):
        return result.output
    return {} if result.outcome is Outcome.SUCCEEDED else None


def outputs_of(
    run: Run, definition: SagaDefinition, step_ids: list[str], iteration: int
) -> tuple[dict[str, JsonValue], set[str]]:
    """The outputs of these steps as a step of this iteration found them, and the ids of those whose output is missing.

    Two queries, none for no steps.
    """
    if not step_ids:
        return {}, set()
    statuses = dict(run.steps.filter(step_id__in=step_ids).values_list("step_id", "status"))
    done = run.commands.filter(
        kind="run_action",
        step_id__in=step_ids,
        purpose=Purpose.FORWARD,
        outcome=Outcome.SUCCEEDED,
        iteration__lte=iteration,
    ).order_by("iteration")
    stored: dict[str, JsonValue] = dict(done.values_list("step_id", "output"))
    outputs: dict[str, JsonValue] = {}
    missing: set[str] = set()
    defaults = {s.step_id: s.default_output for s in definition.steps}
    for step_id in step_ids:
        # A row still says "running" when its page is on its way; a stored success is the later word.
        if statuses.get(step_id) == StepStatus.SUCCEEDED or step_id in stored:
            outputs[step_id] = stored.get(step_id) or {}
        elif defaults[step_id] is not None:
            outputs[step_id] = defaults[step_id]
        else:
            missing.add(step_id)
    return outputs, missing


def _undo_has_begun(run: Run, row: Command) -> bool:
    return run.commands.filter(step_id=row.step_id, iteration=row.iteration, purpose=Purpose.UNDO).exists()


def _probe_of(step: StepDefinition, scope: Scope) -> tuple[Mapping[str, JsonValue] | None, str]:
    """The rendered probe, or why it cannot ask."""
    if step.probe_action is None:
        return None, ""
    try:
        return render_action(_plain(step.probe_action), _about_own(step, scope, None)), ""
    except TemplateError as error:
        return None, f"the probe cannot be filled in: {error}"


def _plain(action: Any) -> dict[str, JsonValue]:
    """An action model as the mapping the author wrote."""
    plain: dict[str, JsonValue] = action.plain()
    return plain


def _key_text(key: str) -> str:
    if "\r" in key or "\n" in key:
        raise TemplateError("the idempotency_key would contain a line break")
    return key
