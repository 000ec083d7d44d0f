"""What an attempt's templates see, and what they come to: the scope, the probe, the compensation frozen for later."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from pydantic import JsonValue

from orchestration.actions.base import Result
from orchestration.core.compile import ancestors_by_distance
from orchestration.core.definition import SagaDefinition, StepDefinition
from orchestration.core.definition.own import forward_names
from orchestration.core.plan import Plan
from orchestration.core.templates import OwnMissing, Scope, TemplateError, placeholders, render_action
from orchestration.core.templates.lookup import RESPONSE
from orchestration.core.templates.names import head_of, parts_of
from orchestration.core.words import Outcome, Purpose, StepStatus
from orchestration.models import Run

OWN_MISSING = (
    "Look whether the effect stands: undo it and answer done-by-hand, or answer alternative with an action that names "
    "it; accept-loss leaves it"
)


def scope_of(run: Run, definition: SagaDefinition, plan: Plan, step: StepDefinition, iteration: int) -> Scope:
    """What the step's templates can see. A step that looks nothing up, or only names steps, costs no walk."""
    actions = (step.forward_action, step.compensation_action, step.probe_action, step.approval)
    names = placeholders([plain(action) for action in actions if action is not None])
    names |= placeholders(step.idempotency_key)
    heads = {head_of(name) for name in names}
    only_named_steps = all(len(parts_of(name)) > 1 for name in names) and heads <= plan.steps.keys()
    levels: tuple[tuple[str, ...], ...] = ()
    if only_named_steps:
        levels = (tuple(heads - {step.step_id}),)
    elif heads:
        levels = ancestors_by_distance(plan, step.step_id)
    outputs, missing = outputs_of(run, definition, [s for level in levels for s in level], iteration)
    upstream = tuple({s: outputs[s] for s in level if s in outputs} for level in levels)
    asked = {head_of(name) for name in names if RESPONSE in parts_of(name)[1:2]}
    return Scope(
        own=None,
        step_id=step.step_id,
        responses=responses_of(run, [s for s in outputs if s in asked], iteration),
        upstream=upstream,
        context=run.context,
        missing=frozenset(missing),
        most=settings.ZEN_MAX_OUTPUT_BYTES,
        fills_keys=run.rules >= 2,
    )


def about_own(
    step: StepDefinition, scope: Scope, own: dict[str, JsonValue] | None, response: JsonValue = None
) -> Scope:
    """For what is about the step's own effect: no other step's output stands in for its own (rule 3)."""
    responses = scope.responses if response is None else {**scope.responses, step.step_id: response}
    return dataclasses.replace(scope, own=own, responses=responses, shared=forward_names(step))


def own_output(result: Result) -> dict[str, JsonValue] | None:
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


def responses_of(run: Run, step_ids: list[str], iteration: int) -> dict[str, JsonValue]:
    """Step id → the answer that its last attempt of such an iteration got. One query, none for no steps."""
    if not step_ids:
        return {}
    rows = run.commands.filter(
        kind="run_action", step_id__in=step_ids, purpose=Purpose.FORWARD, iteration__lte=iteration
    )
    rows = rows.exclude(outcome=Outcome.PARKED).order_by("iteration", "attempt")
    found = {step_id: response_in(detail) for step_id, detail in rows.values_list("step_id", "detail")}
    return {step_id: response for step_id, response in found.items() if response is not None}


def response_in(detail: Mapping[str, Any]) -> JsonValue:
    """The answer as an attempt keeps it: {"status": 201, "headers": {…}, "location": …}; None where none came.

    `location` is where the header Location leads from the URL that was asked.
    """
    if not isinstance(detail.get("status"), int):
        return None
    headers = detail.get("headers")
    response: dict[str, JsonValue] = {"status": detail["status"], "headers": headers or {}}
    location = headers.get("location") if isinstance(headers, Mapping) else None
    if location and isinstance(detail.get("url"), str):
        with contextlib.suppress(ValueError):
            response["location"] = urljoin(detail["url"], location)
    return response


def frozen_undo(step: StepDefinition, scope: Scope) -> JsonValue:
    if step.compensation_action is None:
        return None
    try:
        return dict(render_action(plain(step.compensation_action), scope))
    except OwnMissing as error:
        hint = "" if step.probe_action else "; a probe_action would have asked"
        return {"error": f"the compensation cannot be filled in: {error}{hint}. {OWN_MISSING}"}
    except TemplateError as error:
        return {"error": f"the compensation cannot be filled in: {error}"}


def probe_of(step: StepDefinition, scope: Scope) -> tuple[Mapping[str, JsonValue] | None, str]:
    """The rendered probe, or why it cannot ask."""
    if step.probe_action is None:
        return None, ""
    try:
        return render_action(plain(step.probe_action), about_own(step, scope, None)), ""
    except TemplateError as error:
        return None, f"the probe cannot be filled in: {error}"


def plain(action: Any) -> dict[str, JsonValue]:
    """An action model as the mapping the author wrote."""
    written: dict[str, JsonValue] = action.plain()
    return written
