"""What an attempt's templates see, and their results: the scope, the probe, the compensation frozen for later."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from pydantic import JsonValue

from orchestration.core.definition import SagaDefinition, StepDefinition
from orchestration.core.definition.own import forward_names
from orchestration.core.saga.compile import ancestors_by_distance
from orchestration.core.saga.plan import Plan
from orchestration.core.templates import OwnMissing, Scope, TemplateError, placeholders, render_action
from orchestration.core.templates.lookup import RESPONSE
from orchestration.core.templates.names import head_of, parts_of
from orchestration.execution.outputs import outputs_of, responses_of
from orchestration.models import Run

OWN_MISSING = (
    "Check whether the effect exists: undo it and answer done-by-hand, or answer alternative with an action that names "
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
    """The scope for compensation and probe.

    No other step's output is taken for the step's own (rule 3, docs/adr/0007).
    """
    responses = scope.responses if response is None else {**scope.responses, step.step_id: response}
    return dataclasses.replace(scope, own=own, responses=responses, shared=forward_names(step))


def render_compensation(step: StepDefinition, scope: Scope) -> JsonValue:
    """The compensation with its templates filled in; {"error": why} where they cannot be.

    None for a step without one.
    """
    if step.compensation_action is None:
        return None
    try:
        return dict(render_action(plain(step.compensation_action), scope))
    except OwnMissing as error:
        hint = "" if step.probe_action else "; a probe_action would have asked"
        return {"error": f"Cannot undo: {error}{hint}. {OWN_MISSING}"}
    except TemplateError as error:
        return {"error": f"Cannot undo: {error}"}


def render_probe(step: StepDefinition, scope: Scope) -> tuple[Mapping[str, JsonValue] | None, str]:
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
