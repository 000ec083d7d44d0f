"""The policy's own conditions, in CEL: no loops without an end, no calls into this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cel

from orchestration.errors import BadInput


def check(expression: str, *, field: str) -> None:
    """Raises BadInput for what is not an expression."""
    try:
        cel.compile(expression)
    except ValueError as error:
        first = str(error).partition("\n")[0]
        message, remedy = f"{field} is not a CEL expression: {first}", "such as request.stage == 'docs'"
        raise BadInput(message, field=field, remedy=remedy) from None


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
    except (KeyError, TypeError, ValueError, RuntimeError):
        return False
