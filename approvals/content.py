"""What is shown to those who decide: its hash, its differences, and the parts that may be edited."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from typing import Any

from orchestration.core.definition.shape import canonical_json
from orchestration.errors import BadInput

MOST_BYTES = 5 * 1024 * 1024


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: sorted keys, no spaces, ASCII."""
    return hashlib.sha256(canonical_json(dict(content)).encode()).hexdigest()


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A unified diff of both contents as people read them."""
    lines = unified_diff(_lines(before), _lines(after), "decided", "now", lineterm="")
    return "\n".join(lines)


def edited(content: Mapping[str, Any], edits: Mapping[str, Any], allowed: Iterable[str]) -> dict[str, Any]:
    """A copy with the edits laid over it: dotted paths of places that exist and that the stage lists."""
    result: dict[str, Any] = copy.deepcopy(dict(content))
    listed = list(allowed)
    for path, value in edits.items():
        if path not in listed:
            known = ", ".join(listed) or "nothing here"
            raise BadInput(f"'{path}' cannot be edited", field="edits", remedy=f"what can be: {known}")
        _put(result, path, value)
    return result


def _put(content: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    place: Any = content
    for part in above:
        place = place.get(part) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        raise BadInput(f"there is nothing at '{path}'", field="edits", remedy="name a value that is shown")
    place[last] = value


def _lines(content: Mapping[str, Any]) -> list[str]:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, default=str).splitlines()
