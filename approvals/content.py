"""What is shown to those who decide: its hash, its differences, and the parts that may be edited."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from typing import Any

from orchestration.audit_chain.canonical import canonical, sha256
from orchestration.errors import BadInput

MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 5000
"""What is compared line by line: the time for it can grow with the square of their number."""


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON (docs/audit.md): the same before and after a database has held it."""
    return sha256(canonical(dict(content)))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A unified diff of both contents as people read them."""
    old, new = _lines(before), _lines(after)
    same = next(
        (n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new))
    )
    if max(len(old), len(new)) - same > MOST_LINES:
        return "\n".join(_replaced(old, new, same))
    return "\n".join(unified_diff(old, new, "decided", "now", lineterm=""))


def edited(content: Mapping[str, Any], edits: Mapping[str, Any], allowed: Iterable[str]) -> dict[str, Any]:
    """A copy with the edits laid over it: dotted paths of places that exist and that the stage lists."""
    listed = list(allowed)
    for path in edits:
        if path not in listed:
            known = ", ".join(listed) or "nothing here"
            raise BadInput(f"'{path}' cannot be edited", field="edits", remedy=f"what can be: {known}")
    return laid_over(content, edits)


def laid_over(content: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with edits that were accepted; what is shown to the next, and in the end what was approved."""
    result: dict[str, Any] = copy.deepcopy(dict(content))
    for path, value in edits.items():
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


def _replaced(old: list[str], new: list[str], same: int) -> Iterator[str]:
    """A diff that takes no time: all lines after the first difference, as they were and as they are."""
    if old == new:
        return
    yield from ("--- decided", "+++ now")
    yield f"@@ -{same + 1},{len(old) - same} +{same + 1},{len(new) - same} @@"
    yield from (f"-{line}" for line in old[same:])
    yield from (f"+{line}" for line in new[same:])


def _lines(content: Mapping[str, Any]) -> list[str]:
    """The description as it is read, line by line, and the rest as JSON."""
    words = str(content.get("description", "")).splitlines()
    rest = {name: value for name, value in content.items() if name != "description"}
    return [*words, *([""] if words else []), *_json_lines(rest)]


def _json_lines(content: Mapping[str, Any]) -> list[str]:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, default=str).splitlines()
