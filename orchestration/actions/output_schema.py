"""`output_schema` of a step: JSON Schema, checked when a definition comes in and held against what the action gave.

References lead inside the schema only: nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache, partial
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError, best_match  # type: ignore[import-untyped]
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

from foundation.guarded import guarded
from foundation.validation.bounded_schemas import BoundedValidator
from foundation.validation.subschemas import Kind, resolver_of, subschemas
from foundation.validation.work_limit import TooCostly, TooDeep, at_most, size_of, spend, unspent
from orchestration.core.definition import Problem
from orchestration.core.definition.problems import LONGEST_VALUE, short
from orchestration.core.definition.shape import dotted, step_label

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_MESSAGE = 300
CHECK_LOOKS, RUN_LOOKS = 100_000, 20_000_000
"""Keywords that are looked at, at most: for all schemas of a definition together (about 2 s), and for one output."""
LOOKS_OF_A_PART = 20
"""What it costs, in looks, to check that a part of a schema is one."""
NAMES_THE_MISSING = frozenset({"required", "dependentRequired", "additionalProperties", "unevaluatedProperties"})
"""Keywords whose own message names the key that is wrong; for the others the path does."""

KNOWN_AT_MOST = 512

Path = tuple[str | int, ...]
Fault = tuple[str, str, str]
"""Path below the schema (with its leading dot), the value there, and what is wrong."""
Show = Callable[[Any], Any]

_known_faults: dict[str, tuple[int, Fault | None]] = {}
"""Of schemas by their text: the looks that were spent, and what was found."""


def schema_problems(definition: object) -> list[Problem]:
    """What is wrong with the schemas of a definition given as plain JSON, its children in place included."""
    with bounded_check():
        return _problems(definition)


def bounded_check() -> AbstractContextManager[None]:
    """What all schemas of a definition, and their patterns, may cost together while it is checked."""
    return at_most(CHECK_LOOKS, short_for_re=True)


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
    return guarded(lambda: _mismatch(schema, output, show), _undecided)


def _undecided(error: Exception) -> str:
    """What is told where the check itself broke: no fault that a second attempt, and so a second effect, would mend."""
    if isinstance(error, TooCostly):
        return "the output_schema takes too long to be held against the output"
    if isinstance(error, OverflowError):
        return "the output holds a number that is too large for its output_schema"
    if isinstance(error, RecursionError | TooDeep):
        return "the output_schema refers to itself without end, or the output is nested too deeply for it"
    if isinstance(error, Unresolvable):
        return f"the output_schema has a reference that leads nowhere: {short(error.ref)}"
    return f"the output_schema could not be held against the output: {type(error).__name__}"


def _mismatch(schema: Mapping[str, JsonValue], output: JsonValue, show: Show) -> str:
    with at_most(RUN_LOOKS):
        error = best_match(_validator(_text(schema)).iter_errors(output))
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
    fault = guarded(partial(_fault_at_a_cost, schema), _unchecked)
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


def _unchecked(error: Exception) -> Fault:
    """What is told where the check itself broke."""
    if isinstance(error, TooCostly):
        return "", "", "takes too long to be checked, alone or together with those of other steps"
    if isinstance(error, RecursionError):
        return "", "", "is nested too deeply"
    if isinstance(error, TooDeep):
        return "", "", "refers to itself without end"
    return "", "", f"could not be checked ({type(error).__name__})"


def _fault_at_a_cost(schema: Mapping[str, Any]) -> Fault | None:
    """As `_fault`; one that is known costs what it cost the first time, so that the answer hangs on nothing else."""
    text = _text(schema)
    known = _known_faults.get(text)
    if known is not None:
        spend(known[0])
        return known[1]
    before = unspent() or 0
    found = _fault(text)
    if len(_known_faults) >= KNOWN_AT_MOST:
        _known_faults.clear()
    _known_faults[text] = before - (unspent() or 0), found
    return found


def _fault(text: str) -> Fault | None:
    schema = json.loads(text)
    spend(size_of(schema) * LOOKS_OF_A_PART)
    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        return ".$schema", _shown(schema["$schema"]), f"is another dialect than {DIALECT}"
    wrong = _no_schema(schema, ()) or _wrong_reference(schema)
    if wrong is None:
        best_match(_validator(text).iter_errors({}))
    return wrong


def _no_schema(value: Any, path: Path) -> Fault | None:
    try:
        Draft202012Validator.check_schema(value)
    except SchemaError as error:
        return _below((*path, *error.absolute_path)), _shown(error.instance), _cut(error.message)
    return None


def _wrong_reference(schema: dict[str, Any]) -> Fault | None:
    """One that leads nowhere inside, or to what is no schema."""
    for place in subschemas(schema):
        if place.lost is not None:
            keyword, reference = place.lost
            return (
                _below((*place.path, keyword)),
                short(reference),
                "is a reference that leads nowhere inside this schema",
            )
        if place.kind is Kind.TARGET:
            spend(size_of(place.schema) * LOOKS_OF_A_PART)
            wrong = _no_schema(place.schema, place.path)
            if wrong is not None:
                return wrong
    return None


@lru_cache(maxsize=512)
def _validator(text: str) -> Any:
    """A registry of its own: without one the library would fetch references over HTTP."""
    schema = json.loads(text)
    return BoundedValidator(schema, registry=Registry(), _resolver=resolver_of(schema))


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
