"""Bodies and query parameters, checked before a view reads them. What is wrong raises BadInput with its field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from foundation.errors import BadInput

MOST_LEVELS = 100


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object.

    Raises:
        BadInput: it is no object, or has something that `storable` refuses.
        ParseError: it is no JSON, or nested too deeply to be read.
    """
    try:
        data = request.data
    except RecursionError:
        raise ParseError("the JSON is nested too deeply") from None
    if not isinstance(data, dict):
        raise BadInput("the body must be a JSON object", field="body")
    storable(data)
    return dict(data)


def storable(value: Any, path: str = "", level: int = 0) -> None:
    """Refuse what no database keeps: NUL, lone surrogates, numbers that are not finite, more than MOST_LEVELS levels.

    Raises:
        BadInput: with the place, such as `context.items[2].name`, as its field.
    """
    if level > MOST_LEVELS:
        raise BadInput(f"the body is nested over {MOST_LEVELS} levels", field=path[:80])
    if isinstance(value, str):
        text(value, path or "body")
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadInput("the number is not finite", field=path)
    elif isinstance(value, dict):
        for key, item in value.items():
            text(key, path or "body")
            storable(item, f"{path}.{key}".lstrip("."), level + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            storable(item, f"{path}[{index}]", level + 1)


def text(value: str, field: str) -> str:
    """The text itself. Raises BadInput when it has a NUL or a lone surrogate."""
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise BadInput("the text has a NUL or a lone surrogate", field=field[:80], remedy="send plain Unicode text")
    return value


def query(request: Request, name: str, default: str = "") -> str:
    """One query parameter, or `default` where it is left out. Raises BadInput as `text` does."""
    return text(request.query_params.get(name, default), name)


def words(request: Request, name: str, known: Sequence[str]) -> list[str]:
    """A parameter that may be given several times, each time one of the known words. Raises BadInput for another."""
    given = [text(word, name) for word in request.query_params.getlist(name)]
    wrong = [word for word in given if word not in known]
    if wrong:
        raise BadInput(f"'{wrong[0][:80]}' is not a {name}", field=name, remedy=f"one of: {', '.join(known)}")
    return given


def one_of(request: Request, name: str, known: Sequence[str]) -> str:
    """One of the known words; '' where the parameter is left out. Raises BadInput for another, the empty one too."""
    given = query(request, name)
    if name in request.query_params and given not in known:
        raise BadInput(f"'{given[:80]}' is not a known {name}", field=name, remedy=f"one of: {', '.join(known)}")
    return given


def number(request: Request, name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
    """A whole number between `least` and `most`, or `default` where the parameter is left out.

    Raises BadInput otherwise.
    """
    raw = query(request, name)
    if not raw:
        if name in request.query_params:
            raise BadInput(f"{name} is empty", field=name, remedy="give a whole number")
        return default
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 11 and least <= int(raw) <= most):
        raise BadInput(f"{name} is not a whole number from {least} to {most}", field=name)
    return int(raw)
