"""KEY=VALUE as it is typed at the console, read into values. Raises BadInput that names the option."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from foundation.errors import BadInput


def pairs(given: Iterable[str] | None, option: str) -> dict[str, Any]:
    """KEY=VALUE; a value that is JSON is taken as JSON, any other as text."""
    return {key: _json_or_text(value) for key, value in texts(given, option).items()}


def texts(given: Iterable[str] | None, option: str) -> dict[str, str]:
    """KEY=VALUE, both as they are written."""
    found: dict[str, str] = {}
    for pair in given or ():
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise BadInput(f"--{option} {pair!r} is not KEY=VALUE", field=option, remedy=f"such as --{option} count=3")
        found[key] = value
    return found


def _json_or_text(text: str) -> Any:
    """A number that would be written otherwise is a version, a hash or a code: 1.10 and 1e5 stay what was typed."""
    try:
        found = json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return text if is_number and json.dumps(found) != text else found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
