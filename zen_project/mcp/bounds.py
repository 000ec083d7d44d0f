"""How much a call may bring and take: bytes of a request and of an answer, seconds, rows of a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from rest_framework.renderers import JSONRenderer

from foundation.errors import BadInput

MOST_REQUEST = 4 * 1024**2
MOST_ANSWER = 1024**2
SECONDS = 30.0
LIMIT, MOST_ROWS = 50, 200

BYTES_OF_A_CHARACTER = 8
"""At most: four as UTF-8, in the JSON and again in the text."""

HEAVY = frozenset({"output", "result", "context", "config", "data", "body", "facts", "request", "answer", "metrics"})
"""Fields with what people and services sent: they may be large, and an answer can do without them."""


def plain(answer: Any) -> dict[str, Any]:
    """The answer as REST would send it: only JSON, times as text."""
    found: dict[str, Any] = json.loads(JSONRenderer().render(answer))
    return found


def weight(answer: dict[str, Any]) -> int:
    """Bytes of an answer, which is sent twice: as JSON, and as a text for clients that read nothing else.

    Of a small one it is an upper bound, which costs less.
    """
    text = json.dumps(answer, ensure_ascii=False)
    if (most := len(text) * BYTES_OF_A_CHARACTER) <= MOST_ANSWER:
        return most
    return len(text.encode()) + len(json.dumps(text, ensure_ascii=False).encode())


def fitting(make: Callable[[int], dict[str, Any]], limit: int) -> dict[str, Any]:
    """A page of as many rows as an answer takes, `limit` at most. `make`: the page with so many rows."""
    while True:
        found = plain(make(limit))
        size = weight(found)
        if size <= MOST_ANSWER or limit == 1:
            return found
        limit = max(1, min(limit - 1, limit * MOST_ANSWER // size))


def bounded(answer: Any) -> dict[str, Any]:
    """The answer as plain JSON; of one that is too large the largest fields are emptied, and named in `left_out`.

    Raises:
        BadInput: it is too large even so.
    """
    found = plain(answer)
    if weight(found) <= MOST_ANSWER:
        return found
    left_out: list[str] = []
    for size, path, place, key in sorted(_heavy(found, ""), key=lambda one: -one[0]):
        if size > len("null"):
            place[key] = type(place[key])() if isinstance(place[key], dict | list | str) else None
            left_out.append(path)
        if weight(found | {"left_out": left_out}) <= MOST_ANSWER:
            return found | {"left_out": left_out}
    raise BadInput(
        f"the answer has more than {MOST_ANSWER} bytes", field="answer",
        remedy="ask for less of it, such as its events or its log, a page at a time",
    )  # fmt: skip


def _heavy(value: Any, path: str) -> Iterator[tuple[int, str, Any, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            here = f"{path}.{key}".lstrip(".")
            if key in HEAVY:
                yield len(json.dumps(item)), here, value, key
            else:
                yield from _heavy(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _heavy(item, f"{path}[{index}]")
