"""The policy's own conditions, in CEL: no loops without an end, no calls into this process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import cel

from orchestration.conditions import TEXT, TYPES
from orchestration.errors import BadInput

KNOWN = ("stage", "context", "action", "requester", "facts", "about")
_BOUND = re.compile(r"\.(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")
_ASKED = re.compile(r"(?<![.\w])request\s*\.\s*(\w+)")


def check(expression: str, *, field: str) -> None:
    """Raises BadInput for what is not an expression, or asks for what no request has."""
    try:
        program = cel.compile(expression)
    except ValueError as error:
        first = str(error).partition("\n")[0]
        message, remedy = f"{field} is not a CEL expression: {first}", "such as request.stage == 'docs'"
        raise BadInput(message, field=field, remedy=remedy) from None
    bare = TEXT.sub("''", expression)
    for name in sorted(set(program.variables()) - {"request", *TYPES, *_BOUND.findall(bare)}):
        raise BadInput(f"{field}: there is no '{name}' here", field=field, remedy="a condition knows one name: request")
    for name in _ASKED.findall(bare):
        if name not in KNOWN:
            known = ", ".join(f"request.{one}" for one in KNOWN)
            raise BadInput(f"{field}: a request has no '{name}'", field=field, remedy=f"one of: {known}")


def seen(
    *, stage: str, content: Mapping[str, Any], requester: str, facts: Mapping[str, Any], about: str
) -> dict[str, Any]:
    """What a condition knows of a request, as `request`."""
    return {
        "stage": stage,
        "context": content["context"],
        "action": content.get("action", {}),
        "requester": requester,
        "facts": facts,
        "about": about,
    }


def holds(expression: str, request: Mapping[str, Any]) -> bool:
    """Whether the condition is true of this request. A name that is missing, or a type that does not fit, is a no."""
    if not expression:
        return False
    try:
        return cel.evaluate(expression, {"request": dict(request)}) is True
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError):
        return False
