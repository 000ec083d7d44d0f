"""The policy's own conditions, in CEL: no loops without an end, no calls into this process, and a bound on what a
requester's context can make them cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import cel

from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Request
from foundation.errors import BadInput
from foundation.validation.work_limit import size_of, values_of
from orchestration.actions.conditions import TEXT, TYPES, WALK, length_inside

KNOWN = ("stage", "context", "action", "requester", "facts", "about")
MOST_LOOKS = 10_000_000
"""Values that a condition may look at or copy while it walks through lists: one to two seconds."""
_COPYING = ("map", "filter")
_BOUND = re.compile(r"\.(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")
_ASKED = re.compile(r"(?<![.\w])request\s*\.\s*(\w+)")


def check(expression: str, *, field: str) -> None:
    """Check an expression when a policy is published. `field`: its name in an error.

    Raises:
        BadInput: it is no CEL expression, or asks for something that no request has.
    """
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


def rule_for(policy: PolicyDefinition, request: Request, content: Mapping[str, Any]) -> str:
    """The policy's `auto_approve` when it holds for this request with this content; '' when it does not.

    So it is judged wherever it is judged: when it is asked, simulated (then no row has the request) and replayed.
    """
    return policy.auto_approve if holds(policy.auto_approve, seen(request, content)) else ""


def seen(request: Request, content: Mapping[str, Any]) -> dict[str, Any]:
    """What a condition knows of a request with this content, as `request`."""
    return {
        "stage": request.stage,
        "context": content["context"],
        "action": content.get("action", {}),
        "requester": request.requester,
        "facts": request.facts,
        "about": request.about,
    }


def holds(expression: str, request: Mapping[str, Any]) -> bool:
    """Whether the condition is true of this request. A name that is missing, a type that does not fit, or lists that
    are too long to be walked through, is a no."""
    if not expression or _cost(expression, request) > MOST_LOOKS:
        return False
    try:
        return cel.evaluate(expression, {"request": dict(request)}) is True
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError):
        return False


def _cost(expression: str, request: Mapping[str, Any]) -> int:
    """The values that it looks at or copies, at most: all of the request at each walk, as often as the walks around it
    have items. `map` and `filter` copy what they have so far with every item."""
    bare = TEXT.sub("''", expression)
    walks = [(walk.start(), walk.end() + length_inside(bare, walk.end()), walk[1]) for walk in WALK.finditer(bare)]
    if not walks:
        return 0
    longest = max(_longest(request), bare.count(",") + 1)
    values = size_of(request) + len(bare)
    cost = 0
    for start, end, kind in walks:
        around = sum(1 + (outer in _COPYING) for begins, ends, outer in walks if begins < start < ends)
        again = "request" in bare[start:end]
        cost += values * longest ** (around + (kind in _COPYING) + again)
    return cost


def _longest(value: object) -> int:
    """The most items or keys that a list or mapping in it has."""
    return max((len(item) for item in values_of(value) if isinstance(item, Mapping | list | tuple)), default=0)
