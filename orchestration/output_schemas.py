"""`output_schema` of a step: JSON Schema, checked when a definition comes in and held against what the action gave.

References lead inside the schema only: nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError, best_match  # type: ignore[import-untyped]
from pydantic import JsonValue
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from orchestration.bounded_schemas import BoundedValidator, TooCostly, at_most, size_of, spend
from orchestration.core.definition import Problem
from orchestration.core.definition.problems import LONGEST_VALUE, short
from orchestration.core.definition.shape import dotted, step_label

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCES = ("$ref", "$dynamicRef")
PLAIN_VALUES = ("const", "enum", "default", "examples")
LONGEST_MESSAGE = 300
CHECK_LOOKS, RUN_LOOKS = 100_000, 20_000_000
"""Keywords that are looked at, at most: for all schemas of a definition together (about 2 s), and for one output."""
LOOKS_OF_A_PART = 20
"""What it costs, in looks, to check that a part of a schema is one."""
NAMES_THE_MISSING = frozenset({"required", "dependentRequired", "additionalProperties", "unevaluatedProperties"})
"""Keywords whose own message names the key that is wrong; for the others the path does."""

Show = Callable[[Any], Any]


def schema_problems(definition: object) -> list[Problem]:
    """What is wrong with the schemas of a definition given as plain JSON, its children in place included."""
    with at_most(CHECK_LOOKS, short_for_re=True):
        return _problems(definition)


def _problems(definition: object) -> list[Problem]:
    steps = definition.get("steps") if isinstance(definition, Mapping) else None
    found: list[Problem] = []
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(step, Mapping):
            label = step_label(definition, index)
            found += [*_of_step(step, label), *_of_child(step, label)]
    return found


def mismatch(schema: Mapping[str, JsonValue], output: JsonValue, *, show: Show = lambda value: value) -> str:
    """How the output breaks the schema, with path and shortened value; '' when it does not.

    `show` makes a value fit to be seen before it is shortened: half a secret is no longer recognised as one.
    """
    try:
        with at_most(RUN_LOOKS):
            error = best_match(_validator(_text(schema)).iter_errors(output))
    except TooCostly:
        return "the output_schema takes too long to be held against the output"
    except OverflowError:
        return "the output holds a number that is too large for its output_schema"
    except RecursionError:
        return "the output_schema leads back to itself without end, or the output is nested too deeply for it"
    except Unresolvable as lost:
        return f"the output_schema has a reference that leads nowhere: {short(lost.ref)}"
    if error is None:
        return ""
    path = _cut(f"${_below([show(part) if isinstance(part, str) else part for part in error.absolute_path])}")
    if error.validator in NAMES_THE_MISSING:
        said = _cut(str(show(error.message)))
    else:
        said = f"{_shown(show(error.instance))} breaks {error.validator}: {_shown(error.validator_value)}"
    return f"the output does not match the output_schema at {path}: {said}"


def _of_step(step: Mapping[str, Any], label: str) -> Iterator[Problem]:
    schema = step.get("output_schema")
    if not isinstance(schema, Mapping):
        return
    fault = _fault_at_a_cost(_text(schema))
    if fault:
        path, value, message = fault
        yield Problem(
            step=label, field=f"output_schema{path}", value=value, message=message,
            remedy="give a JSON Schema (draft 2020-12) without references to the outside",
        )  # fmt: skip
    elif step.get("default_output") is not None:
        wrong = mismatch(schema, step["default_output"])
        if wrong:
            remedy = "give a default that later steps can use in the output's place"
            value = _shown(step["default_output"])
            yield Problem(step=label, field="default_output", value=value, message=wrong, remedy=remedy)


def _of_child(step: Mapping[str, Any], label: str) -> Iterator[Problem]:
    action = step.get("forward_action")
    if not isinstance(action, Mapping) or action.get("type") != "saga":
        return
    for problem in _problems(action.get("definition")):
        yield Problem(
            step=f"{label}/{problem.step}", field=problem.field, value=problem.value, message=problem.message,
            remedy=problem.remedy,
        )  # fmt: skip


def _fault_at_a_cost(text: str) -> tuple[str, str, str] | None:
    try:
        return _fault(text)
    except TooCostly:
        return "", "", "takes too long to be checked, alone or together with those of other steps"
    except RecursionError:
        return "", "", "is nested too deeply"


@lru_cache(maxsize=512)
def _fault(text: str) -> tuple[str, str, str] | None:
    """Path below the schema (with its leading dot), the value there, and what is wrong."""
    schema = json.loads(text)
    spend(size_of(schema) * LOOKS_OF_A_PART)
    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        return ".$schema", _shown(schema["$schema"]), f"is another dialect than {DIALECT}"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return _below(error.absolute_path), _shown(error.instance), _cut(error.message)
    is_there = _look_up(schema)
    for path, reference in _references(schema, ()):
        if not is_there(reference):
            return _below(path), short(reference), "is a reference that leads nowhere inside this schema"
    try:
        best_match(_validator(text).iter_errors({}))
    except RecursionError:
        return "", "", "leads back to itself without end"
    return None


def _references(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in REFERENCES and isinstance(item, str):
                yield (*path, key), item
            yield from () if key in PLAIN_VALUES else _references(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))


def _look_up(schema: dict[str, Any]) -> Callable[[str], bool]:
    """Whether a reference leads somewhere inside the schema."""
    resolver = _resolver(schema)

    def is_there(reference: str) -> bool:
        if not reference.startswith("#"):
            return False
        try:
            resolver.lookup(reference)
        except Unresolvable:
            return False
        return True

    return is_there


def _resolver(schema: dict[str, Any]) -> Any:
    """It knows the schema's anchors; a registry that does not is searched for each anew."""
    resource: Resource[Any] = DRAFT202012.create_resource(schema)
    uri = resource.id() or ""
    return Registry().with_resource(uri, resource).crawl().resolver(uri)


@lru_cache(maxsize=512)
def _validator(text: str) -> Any:
    """A registry of its own: without one the library would fetch references over HTTP."""
    schema = json.loads(text)
    return BoundedValidator(schema, registry=Registry(), _resolver=_resolver(schema))


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, sort_keys=True)


def _below(parts: Iterable[Any]) -> str:
    """The path with its leading dot or bracket; '' for the whole."""
    text = dotted(("", *parts))
    return text if text.startswith((".", "[")) or not text else f".{text}"


def _shown(value: Any) -> str:
    """As JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"
