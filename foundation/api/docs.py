"""Helpers for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from foundation.api.errors import CONTENT_TYPE, Problem

WORDS = {
    400: "malformed",
    401: "not signed in",
    403: "the role is missing",
    404: "there is none",
    406: "not acceptable",
    409: "not legal now",
    410: "the time for it is over",
    413: "more than is taken at once",
    415: "not JSON",
    422: "not valid",
    429: "it was done a moment ago; Retry-After says when it can be done again",
    503: "a server that was asked for does not answer",
}


def answers(good: dict[int, Any], *problems: int) -> dict[Any, Any]:
    """The responses of a view for its document: `good` by status, the given problems, and those that any call may get.

    With 415 (the call has a body) comes 413, since a body may also be too large.
    """
    found: dict[Any, Any] = dict(good)
    problems += (413,) if 415 in problems else ()
    for status in sorted({400, 401, 403, 406, 422, *problems}):  # 422: any unknown parameter
        found[(status, CONTENT_TYPE)] = OpenApiResponse(Problem, description=WORDS[status])
    return found


WORKFLOW_ID = OpenApiParameter(
    "workflow_id",
    {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:~-]{0,199}$"},
    OpenApiParameter.PATH,
)
STEP_ID = OpenApiParameter("step_id", str)
LIMIT = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200})
AFTER = OpenApiParameter("after", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1})
