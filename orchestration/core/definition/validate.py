"""From what an author wrote to a SagaDefinition, or to every problem in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue, TypeAdapter, ValidationError

from orchestration.core.definition.action_checks import action_problems
from orchestration.core.definition.actions import Action, UndoAction
from orchestration.core.definition.checks import structure_problems
from orchestration.core.definition.fillable import impossible
from orchestration.core.definition.models import SagaDefinition
from orchestration.core.definition.problems import DefinitionErrors, Problem, short
from orchestration.core.definition.shape import plain_json
from orchestration.core.definition.translate import problems_of
from orchestration.core.likeness import bounded

ACTION: TypeAdapter[Action] = TypeAdapter(Action)
UNDO_ACTION: TypeAdapter[UndoAction] = TypeAdapter(UndoAction)

MOST_BRACES = 5_000
"""Braces of one kind, opening or closing, in all texts and keys of the steps together, scripts left out: what templates
have to be read for."""

MOST_DEPENDENCIES = 20_000
"""Entries of all `dependencies` together. Children count by themselves."""


@bounded
def validate_definition(data: object) -> SagaDefinition:
    """The definition, or DefinitionErrors with all that is wrong. `data` is JSON-like; a model is taken as well."""
    if isinstance(data, SagaDefinition):
        data = data.model_dump(mode="json", exclude_unset=True)
    plain = plain_json(data)
    if not isinstance(plain, dict):
        raise DefinitionErrors([_no_mapping(plain)])
    found = _too_much(plain) or _all_problems(plain)
    if found:
        raise DefinitionErrors(found)
    definition = SagaDefinition.model_validate(plain)
    found = impossible(definition)
    if found:
        raise DefinitionErrors(found)
    return definition


@bounded
def validate_action(data: object, *, undo: bool = False, field: str = "action", step: str = "") -> Action:
    """A single action, such as the alternative that a person gives for a failed undo. Raises DefinitionErrors.

    `undo`: only what can undo is accepted (api_call, script, task).
    """
    plain = plain_json(data)
    if not isinstance(plain, dict):
        message, remedy = "must be a mapping with a type", "such as {type: api_call, url: https://…}"
        raise DefinitionErrors([Problem(step=step, field=field, value=short(plain), message=message, remedy=remedy)])
    found: list[Problem] = []
    try:
        action: Action = (UNDO_ACTION if undo else ACTION).validate_python(plain)
    except ValidationError as error:
        found = problems_of(error, plain, prefix=field, step=step, undo=undo)
    found += action_problems(plain, step=step, field=field)
    if found:
        raise DefinitionErrors(found)
    return action


def _too_much(data: Mapping[str, JsonValue]) -> list[Problem]:
    """Before anything looks closer: what is within the size of a definition, and would still take minutes to read."""
    found = []
    opening = closing = 0
    for text in _texts(data.get("steps")):
        opening, closing = opening + text.count("{"), closing + text.count("}")
    if max(opening, closing) > MOST_BRACES:
        braces = f"{opening} opening" if opening > MOST_BRACES else f"{closing} closing"
        message = f"have {braces} braces in their texts; at most {MOST_BRACES} are read"
        remedy = "give large texts in the context, and name them by one placeholder"
        found.append(Problem(step="", field="steps", value="", message=message, remedy=remedy))
    steps = data.get("steps")
    given = [step.get("dependencies") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    entries = sum(len(one) for one in given if isinstance(one, list))
    if entries > MOST_DEPENDENCIES:
        message = f"have {entries} dependencies; at most {MOST_DEPENDENCIES} are taken"
        remedy = "leave out those that another one implies"
        found.append(Problem(step="", field="steps", value="", message=message, remedy=remedy))
    return found


def _texts(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for key, item in value.items():
                yield key
                if key != "script" or value.get("type") != "script":
                    yield from _texts(item)


def _all_problems(data: Mapping[str, JsonValue], above: tuple[str, ...] = ()) -> list[Problem]:
    """`above`: the ids of the sagas that this one is written in."""
    found: list[Problem] = []
    try:
        SagaDefinition.model_validate(data)
    except ValidationError as error:
        found = problems_of(error, data)
    return [*found, *structure_problems(data), *_problems_of_children(data, (*above, str(data.get("saga_id"))))]


def _problems_of_children(data: Mapping[str, JsonValue], above: tuple[str, ...]) -> list[Problem]:
    """Problems of definitions written in place, their steps named parent/child."""
    found = []
    steps = data.get("steps")
    for step in steps if isinstance(steps, list) else []:
        action = step.get("forward_action") if isinstance(step, dict) else None
        if not isinstance(step, dict) or not isinstance(action, dict) or action.get("type") != "saga":
            continue
        child, parent = action.get("definition"), str(step.get("step_id", "?"))
        if isinstance(child, dict):
            found += [_inside(parent, problem) for problem in _all_problems(child, above)]
        elif isinstance(child, str) and child in above:
            found.append(_circle(parent, child, above[above.index(child) :]))
    return found


def _circle(step: str, child: str, sagas: tuple[str, ...]) -> Problem:
    message, field = f"the saga would contain itself: {' → '.join((*sagas, child))}", "forward_action.definition"
    return Problem(step=step, field=field, value=short(child), message=message, remedy="name another saga")


def _inside(parent: str, problem: Problem) -> Problem:
    field = problem.field if problem.step else f"forward_action.definition.{problem.field}".rstrip(".")
    return Problem(
        step=f"{parent}/{problem.step}" if problem.step else parent,
        field=field,
        value=problem.value,
        message=problem.message,
        remedy=problem.remedy,
    )


def _no_mapping(value: JsonValue) -> Problem:
    what = "empty" if value is None else f"a {type(value).__name__}"
    remedy = "begin with saga_id: and steps:"
    return Problem(step="", field="", value=short(value), message=f"is {what}, not a mapping", remedy=remedy)
