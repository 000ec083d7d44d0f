"""Which placeholders nothing can fill: what no step before gives, and no context either.

A step's output is known beforehand only where its kind or its `output_schema` says so; any other may hold any name.
What nothing but the context can give may still come with the start, which is where it is checked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from orchestration.core.dag import Place, ancestors_of, dependencies_of
from orchestration.core.definition.actions import ApiCall, ChildSaga, Wait
from orchestration.core.definition.models import SagaDefinition, StepDefinition
from orchestration.core.definition.problems import Problem, did_you_mean
from orchestration.core.likeness import bounded, nearest
from orchestration.core.templates import action_placeholders, placeholders
from orchestration.core.templates.names import head_of, name_of, parts_of

NEAR = 0.8
CLOSED_SCHEMA = frozenset({"type", "properties", "required", "additionalProperties", "title", "description", "$schema"})
EMPTY = "its output is empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A name that a step looks up to act, and that only the context can give."""

    step: str
    field: str
    name: str


@bounded
def impossible(definition: SagaDefinition) -> list[Problem]:
    """Placeholders that cannot be filled whatever the start gives, children written in place among them."""
    keys = {step.step_id: output_keys(step) for step in definition.steps}
    found, listed = [], dict[str, list[str]]()
    for step in definition.steps:
        for field, name in _looked_up(step):
            head, *rest = parts_of(name)
            known = keys.get(head) if rest else None
            if known is not None and rest[0] not in known:
                if head not in listed:
                    listed[head] = sorted(known)
                remedy = did_you_mean(rest[0], listed[head], "its output has") or EMPTY
                found.append(_problem(step.step_id, field, name, f"the output of '{head}' has no '{rest[0]}'", remedy))
        found += _in_child(step)
    return found


def needs_of(definition: SagaDefinition) -> list[Need]:
    """What only the context can give, in the order of the steps."""
    ancestors, bits = _ancestors(definition)
    keys = {step.step_id: output_keys(step) for step in definition.steps}
    opened, giving = 0, defaultdict[str, int](int)  # the steps whose output is open, and those that give a name
    for step_id, known in keys.items():
        opened |= bits[step_id] if known is None else 0
        for key in known or ():
            giving[key] |= bits[step_id]
    found = []
    for step in definition.steps:
        before = ancestors[step.step_id]
        if before & opened:
            continue
        for field, name in _looked_up(step):
            head, *rest = parts_of(name)
            names_a_step = head in keys and (rest or bits[head] & before)
            if not giving.get(head, 0) & before and not names_a_step:
                found.append(Need(step=step.step_id, field=field, name=name))
    return found


@bounded
def missing(
    needs: Collection[Need], context: Mapping[str, JsonValue], *, opaque: Collection[str] = ()
) -> list[Problem]:
    """The needs that this very context does not meet. `opaque`: keys whose values are not known yet."""
    found, known = [], sorted(context)
    for need in needs:
        head, *rest = parts_of(need.name)
        if head not in context:
            remedy = did_you_mean(head, known, "the context has") or f"give context.{head}"
            message = "no step before it and nothing in the context has this name"
            found.append(_problem(need.step, need.field, need.name, message, remedy))
        elif head not in opaque and not _leads_on(context[head], rest):
            message = f"context.{head} has no {name_of(rest)}"
            found.append(_problem(need.step, need.field, need.name, message, "give it, or correct the name"))
    return found


@bounded
def misspelt(definition: SagaDefinition) -> list[Problem]:
    """Needs that the definition's own context does not meet by a letter or two: most likely slips."""
    known = sorted(definition.context)
    found, close = [], dict[str, str]()
    for need in needs_of(definition):
        head = parts_of(need.name)[0]
        if head in definition.context:
            continue
        if head not in close:
            close[head] = _near(head, known)
        if near := close[head]:
            message = "no step before it and nothing in the context has this name"
            remedy = f"did you mean '{near}'? If each start gives it, say so by context: {{{head}: null}}"
            found.append(_problem(need.step, need.field, need.name, message, remedy))
    return found


@bounded
def misnamed(
    own: Mapping[str, JsonValue], given: Mapping[str, JsonValue], named: Collection[str] = ()
) -> list[Problem]:
    """Keys that a start gives and the definition's `own` context lacks, each a letter or two away from one that stands
    there as null, for each start to give, and that is not given. `named`: those that a template names are no slips.
    """
    awaited = sorted(key for key, value in own.items() if value is None and key not in given)
    found = []
    for key in sorted(given.keys() - own.keys() - set(named)):
        near = _near(key, awaited)
        if near:
            message, remedy = "the definition's context has no such key", f"did you mean '{near}'?"
            found.append(Problem(step="", field=f"context.{key}", value=key[:80], message=message, remedy=remedy))
    return found


def replacing(own: Mapping[str, JsonValue], given: Mapping[str, JsonValue], whole: Collection[str]) -> list[Problem]:
    """Keys that a start gives and the definition's `own` context lacks, and that would stand for the whole output of a
    step (one of `whole`).
    """
    message = "is a step's id, and would stand in the place of its output wherever a template names that step alone"
    return [
        Problem(
            step="", field=f"context.{key}", value=key[:80], message=message,
            remedy=f"give it under another name; a saga whose starts may give it has {key} in its own context",
        )
        for key in sorted(given.keys() & set(whole) - own.keys())
    ]  # fmt: skip


def whole_outputs(definition: SagaDefinition) -> frozenset[str]:
    """The steps that a step after them, or their own undo or probe, names alone: their whole output is meant (rule 3).

    Not those whose name is also used alone where they do not come before: there the context is meant, as it is here.
    """
    ids = {step.step_id for step in definition.steps}
    alone = [(step.step_id, name) for step in definition.steps for _, name in _looked_up(step) if _alone(name) in ids]
    own = [(step.step_id, name) for step in definition.steps for name in _about_own(step) if _alone(name) in ids]
    if not alone and not own:
        return frozenset()
    ancestors, bits = _ancestors(definition)
    outputs, context = set[str](), set[str]()
    for step_id, name in alone:
        (outputs if bits[_alone(name)] & ancestors[step_id] else context).add(_alone(name))
    for step_id, name in own:
        (outputs if bits[_alone(name)] & (ancestors[step_id] | bits[step_id]) else context).add(_alone(name))
    return frozenset(outputs - context)


def names_of(definition: SagaDefinition) -> frozenset[str]:
    """The first parts of all names that the saga's actions look up, undos and probes included."""
    to_act = (name for step in definition.steps for _, name in _looked_up(step))
    afterwards = (name for step in definition.steps for name in _about_own(step))
    return frozenset(head_of(name) for name in (*to_act, *afterwards))


def output_keys(step: StepDefinition) -> frozenset[str] | None:
    """The keys that the output of a step can have; None when that is open."""
    keys: set[str]
    if isinstance(step.forward_action, Wait):
        keys = {"until"}
    elif isinstance(step.forward_action, ChildSaga):
        keys = {"workflow_id", "status"}
    else:
        schema = step.output_schema
        properties = schema.get("properties") if schema else None
        closed = schema is not None and schema.get("additionalProperties") is False and set(schema) <= CLOSED_SCHEMA
        if not closed or not isinstance(properties, dict):
            return None
        keys = set(properties) | ({"response"} if isinstance(step.forward_action, ApiCall) else set())
    return frozenset(keys | (set(step.default_output) if isinstance(step.default_output, dict) else set()))


def _ancestors(definition: SagaDefinition) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The steps before each step, as the sum of their bits, and the bit of each."""
    order = dependencies_of([Place(s.step_id, s.dependencies, s.parallel_group or "") for s in definition.steps])
    return ancestors_of(order), {step_id: 1 << index for index, step_id in enumerate(order)}


def _looked_up(step: StepDefinition) -> Iterator[tuple[str, str]]:
    """Field and name of every placeholder that a step needs to act."""
    for field in ("forward_action", "approval"):
        action = getattr(step, field)
        for name in sorted(action_placeholders(action.plain())) if action is not None else ():
            yield field, name
    for name in sorted(placeholders(step.idempotency_key)):
        yield "idempotency_key", name


def _about_own(step: StepDefinition) -> Iterator[str]:
    """Every name that a step's undo and its probe look up."""
    for action in (step.compensation_action, step.probe_action):
        yield from action_placeholders(action.plain()) if action is not None else ()


def _alone(name: str) -> str:
    """The name if it has one part; '' otherwise."""
    head, *rest = parts_of(name)
    return "" if rest else head


def _in_child(step: StepDefinition) -> Iterator[Problem]:
    """A child written in place gets its own context and what its parent lays over it, and nothing else."""
    action = step.forward_action
    if not isinstance(action, ChildSaga) or not isinstance(action.definition, dict):
        return
    child = SagaDefinition.model_validate(action.definition)
    given = {**child.context, **action.context}
    for problem in [*impossible(child), *missing(needs_of(child), given, opaque=action.context)]:
        yield Problem(
            step=f"{step.step_id}/{problem.step}",
            field=problem.field,
            value=problem.value,
            message=problem.message,
            remedy=problem.remedy,
        )


def _leads_on(value: JsonValue, rest: Collection[str]) -> bool:
    for part in rest:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part[:9]) < len(value):
            value = value[int(part[:9])]
        else:
            return False
    return True


def _near(name: str, known: Collection[str]) -> str:
    """A known name that differs by so little that it was probably meant; numbers make other names."""
    return nearest(name, known, cutoff=NEAR, but_numbers=True)


def _problem(step: str, field: str, name: str, message: str, remedy: str) -> Problem:
    return Problem(step=step, field=field, value=f"{{{name}}}"[:80], message=message, remedy=remedy)
