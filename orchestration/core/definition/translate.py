"""Turns pydantic's errors into problems: step, field, value, remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from orchestration.core.definition.actions import INNER, LATER_TYPES, MODELS, UNDO_TYPES, Ask
from orchestration.core.definition.models import SagaDefinition, StepDefinition
from orchestration.core.definition.problems import Problem, did_you_mean, is_echo, short
from orchestration.core.definition.shape import Path, dotted, locate
from orchestration.core.likeness import nearest

ACTION_FIELDS = ("forward_action", "compensation_action", "probe_action")
OFTEN_MEANT = {"definition": ("saga_id", "saga", "definition_id")}
"""Other words that are used for a key of an action, too far from it to be found by their letters."""


def problems_of(
    error: ValidationError, data: Mapping[str, JsonValue], *, prefix: str = "", step: str = "", undo: bool = False
) -> list[Problem]:
    """One problem per place. With a `prefix`, `data` is one action that stands at that field of `step`."""
    found: dict[tuple[str, str], Problem] = {}
    kinds: dict[tuple[str, str], str] = {}
    for detail in error.errors(include_url=False):
        path = _real_path(detail, data)
        where, field = (step, dotted((prefix, *path))) if prefix else locate(data, path)
        problem = _problem(detail, data, path, where, field, undo or bool(set(path[-1:]) & set(ACTION_FIELDS[1:])))
        if not is_echo(detail):
            found.setdefault((where, problem.field), problem)
            kinds.setdefault((where, problem.field), detail["type"])
    above = {(step_id, start) for step_id, field in found for start in _starts(field)}
    return [one for place, one in found.items() if not (place in above and kinds[place].endswith("_type"))]


def _starts(field: str) -> Iterator[str]:
    """The fields that a field is in. That one has another type is no news where something inside it is wrong."""
    return (field[: mark.start()] for mark in re.finditer(r"[.\[]", field))


def _real_path(detail: ErrorDetails, data: object) -> Path:
    """pydantic's location without the names of union members: only what the author can find in the file."""
    path: list[str | int] = []
    value: object = data
    tagged: object = None
    for index, part in enumerate(detail["loc"]):
        if isinstance(value, dict) and value is not tagged and value.get("type") == part:
            tagged = value  # the member that the type chose, which may be called as one of its keys is
            continue
        child = _child(value, part)
        if child or (detail["type"] == "missing" and index == len(detail["loc"]) - 1):
            path.append(part)
        value = child[0] if child else value
    return tuple(path)


def _child(value: object, part: str | int) -> tuple[object, ...]:
    """What stands at a key or index, as a tuple of one; () if nothing does."""
    if isinstance(value, dict) and part in value:
        return (value[part],)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return (value[part],)
    return ()


def _problem(
    detail: ErrorDetails, data: Mapping[str, JsonValue], path: Path, step: str, field: str, undo: bool
) -> Problem:
    kind, value = detail["type"], detail["input"]
    match kind:
        case "extra_forbidden":
            known = list(_model_of(data, path).model_fields)
            message, remedy = "is not a known key", did_you_mean(str(path[-1]), known, "the keys here are")
        case "missing":
            remedy = _how_to_give(data, path) or "add it"
            return Problem(step=step, field=field, value="", message="is missing", remedy=remedy)
        case "union_tag_invalid" | "union_tag_not_found":
            given = value.get("type") if isinstance(value, Mapping) else None
            message, remedy = _unknown_type(given, undo)
            shown = "" if given is None else short(given)
            return Problem(step=step, field=f"{field}.type", value=shown, message=message, remedy=remedy)
        case "model_type" | "model_attributes_type" | "dict_type":
            message, remedy = "must be a mapping", _how_to_give(data, path)
        case "literal_error":
            allowed = str(detail.get("ctx", {}).get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ")
            message = "is not an allowed value here"
            remedy = did_you_mean(_in_case(value, allowed), allowed, "one of")
        case _:
            message, remedy = _lower(detail["msg"]), _how_to_give(data, path)
    return Problem(step=step, field=field, value=short(value), message=message, remedy=remedy)


def _unknown_type(given: object, undo: bool) -> tuple[str, str]:
    known: Sequence[str] = UNDO_TYPES if undo else list(MODELS)
    if given is None:
        return "is missing", f"one of: {', '.join(known)}"
    if not isinstance(given, str):
        return "is not text", f"one of: {', '.join(known)}"
    if given in LATER_TYPES:
        return f"actions of type {given} arrive in a later release", f"use one of: {', '.join(known)}"
    if given in MODELS:
        return f"an action of type {given} is not allowed here", f"use one of: {', '.join(known)}"
    return "is not a known action type", did_you_mean(given, known, "the types are")


def _model_of(data: Any, path: Path) -> type[BaseModel]:
    """What the last key of a path belongs to."""
    found = _model_at(path)
    return _innermost(data, path)[0] if found is StepDefinition else found


def _model_at(path: Path) -> type[BaseModel]:
    inner = next((INNER[part] for part in path[:-1] if isinstance(part, str) and part in INNER), None)
    if inner is not None:
        return inner
    if "approval" in path[:-1]:
        return Ask
    return StepDefinition if len(path) > 2 else SagaDefinition


def _how_to_give(data: Mapping[str, JsonValue], path: Path) -> str:
    """The description of the nearest field with one; where an action lacks a key, the key that was probably meant."""
    names = [part for part in path if isinstance(part, str)]
    model, action = _innermost(data, path)
    field = next((model.model_fields[name] for name in reversed(names) if name in model.model_fields), None)
    text = field.description if field is not None and field.description else ""
    if action is None or not names or names[-1] in action:
        return text
    unknown = [key for key in action if key not in model.model_fields]
    close = nearest(names[-1], unknown) or next((key for key in OFTEN_MEANT.get(names[-1], ()) if key in unknown), "")
    return f"did you mean it by '{close}'?" if close else text


def _innermost(data: Any, path: Path) -> tuple[type[BaseModel], Mapping[str, Any] | None]:
    """The model that a path ends in, and the action it is if it is one."""
    inside: object = data
    for part in path[:-1][:3]:
        inside = next(iter(_child(inside, part)), None)
    for candidate in (inside, data):
        if isinstance(candidate, Mapping) and str(candidate.get("type")) in MODELS:
            return MODELS[str(candidate["type"])], candidate
    return _model_at(path), None


def _lower(message: str) -> str:
    text = message.removeprefix("Input ").replace("Tuple should", "should").replace("tuple", "list")
    return text[:1].lower() + re.sub(r" after validation, not \d+$", "", text[1:])


def _in_case(value: object, allowed: Sequence[str]) -> str:
    """The allowed word that differs from the value only in case, else the value."""
    return next((word for word in allowed if word.lower() == str(value).lower()), str(value))
