"""Problems of a spec, a configuration or a plan: pydantic's errors, and our own, as field, value, message, remedy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from orchestration.core.definition.problems import DefinitionErrors, Problem, did_you_mean, is_echo, short
from orchestration.core.definition.shape import dotted, plain_json


def fault(field: str, value: object, message: str, remedy: str) -> Problem:
    """A problem of a field; `value` None where something is missing."""
    return Problem(step="", field=field, value="" if value is None else short(value), message=message, remedy=remedy)


def faults_of(
    error: ValidationError, model: type[BaseModel], *, under: str = "", beside: Mapping[str, str] | None = None
) -> list[Problem]:
    """One problem for each place that pydantic refuses; `under` is where the model stands in what was given.

    `beside`: keys that belong elsewhere → where.
    """
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        if not is_echo(detail):
            problem = _problem(detail, model, under, beside or {})
            found.setdefault(problem.field, problem)
    return list(found.values())


def _problem(detail: ErrorDetails, model: type[BaseModel], under: str, beside: Mapping[str, str]) -> Problem:
    path = detail["loc"]
    inside, field = dotted(path), _field(model, path)
    where = ".".join(filter(None, (under, inside)))
    remedy = (field.description if field is not None else "") or ""
    match detail["type"]:
        case "extra_forbidden":
            elsewhere = beside.get(str(path[-1]), "") if len(path) == 1 else ""
            remedy = elsewhere or did_you_mean(path[-1], _known(model, path), "the keys are")
            return fault(where, detail["input"], "is not a known key", remedy)
        case "missing":
            return fault(where, None, "is missing", remedy or "add it")
        case "string_type" if isinstance(detail["input"], (bool, int, float)):
            told = f"; {remedy}" if remedy else ""
            return fault(where, detail["input"], "is no text", f"write it in quotes, as '{detail['input']}'{told}")
        case "value_error":
            message, _, hint = str(detail["ctx"]["error"]).partition("; ")
            return fault(where, detail["input"], message, hint or remedy)
        case _:
            message = detail["msg"].removeprefix("Input ").replace("tuple", "list").replace("Tuple", "list")
            return fault(where, detail["input"], message[:1].lower() + message[1:], remedy)


def without_refused(
    plain: Mapping[str, Any], error: ValidationError, model: type[BaseModel], *, keep: Collection[str]
) -> dict[str, Any]:
    """What was given, but for what `error` refuses of it: unknown keys, and fields of the `model`.

    `plain`: what was given. `keep`: fields that stay, refused or not.
    """
    left = deepcopy(dict(plain))
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        if detail["type"] == "extra_forbidden":
            holder: Any = left
            for part in path[:-1]:
                holder = _within(holder, part)
            if isinstance(holder, dict):
                holder.pop(path[-1], None)
        elif path and path[0] in model.model_fields and path[0] not in keep:
            left.pop(str(path[0]), None)
    return left


def _within(holder: Any, part: str | int) -> Any:
    """None where there is none; pydantic puts words of its own into some paths."""
    try:
        return holder[part]
    except (KeyError, IndexError, TypeError):
        return None


def _field(model: type[BaseModel], path: Sequence[str | int]) -> Any:
    """The innermost field that a path names."""
    names = [part for part in path if isinstance(part, str)]
    inner = _inner(model, path)
    of_these = [inner.model_fields[name] for name in names[1:] if name in inner.model_fields] if inner else []
    of_all = [model.model_fields[name] for name in names if name in model.model_fields]
    return next(iter([*of_these, *of_all]), None)


def _known(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys of the model that the last part of a path belongs to."""
    return list((_inner(model, path) or model).model_fields)


def _inner(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The model of the parts of a list, where a path leads into one."""
    inner: dict[str, type[BaseModel]] = getattr(model, "INNER", {})
    return inner.get(str(path[0])) if len(path) > 1 else None


def plain_of(data: object, field: str, *, under: str = "", most_bytes: int, remedy: str) -> JsonValue:
    """What somebody gave as plain JSON. `field`: what is said of the whole; `under`: where it stands in what was given.

    Raises:
        DefinitionErrors: it is no JSON, or too large; `remedy` says what to do then.
    """
    try:
        return plain_json(data, most_bytes=most_bytes, remedy=remedy)
    except DefinitionErrors as errors:
        found = [
            replace(one, step="", field=".".join(filter(None, (under, _whole(one)))) or field)
            for one in errors.problems
        ]
        raise DefinitionErrors(found) from None


def _whole(problem: Problem) -> str:
    return ".".join(filter(None, (problem.step, problem.field)))
