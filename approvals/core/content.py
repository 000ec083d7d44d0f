"""What is shown to those who decide: its hash, its differences, and the parts that may be edited."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any

from foundation.canonical_json import canonical, sha256
from foundation.errors import BadInput

MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 5000
"""What is compared line by line: the time for it can grow with the square of their number."""


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON (docs/reference/audit.md): the same before and after a database has held it."""
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
    return apply_edits(content, edits)


def apply_edits(content: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
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


_WORD = re.compile(r"[A-Za-z0-9]+|[^\x00-\x7f\s]")
"""A run of letters and digits of ASCII, and any other sign by itself: not all scripts have spaces between words."""

LONGEST_SCALAR = 200


def shows(source: str, shown: str) -> bool:
    """Markup may go, and words may be added; none of the source's may be lost, run together, or stand elsewhere."""
    found = iter(_WORD.findall(shown))
    return all(word in found for word in _WORD.findall(source))


def told_apart(text: str) -> str:
    """In quotes where it would read as another value than the text that it is: true, null, a number."""
    try:
        other = len(text) <= LONGEST_SCALAR and not isinstance(json.loads(text), dict | list)
    except ValueError:
        return text
    return json.dumps(text, ensure_ascii=False) if other else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked. `about`: the workflow it belongs to. `author`: who wrote what is to be approved; `agent_owner`:
    whose agent asks; neither of them can decide. `action`: what the yes is for. `facts`: computed by us. `form`: what
    the deciders of the last stage answer, besides the policy's own fields. `for_agents`: an agent at work asks, so
    those who started its run may answer, unless they are agents or their owners.
    """

    stage: str
    description: str = ""
    title: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    action: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    step_id: str = ""
    policy: str = ""
    approvers: tuple[str, ...] = ()
    how_many: str | int = "any"
    editable: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    callback_url: str = ""
    author: str = ""
    agent_owner: str = ""
    form: tuple[Mapping[str, Any], ...] = ()
    for_agents: bool = False

    def content(self) -> dict[str, Any]:
        """What is shown, and what a yes is bound to."""
        shown: dict[str, Any] = {"stage": self.stage, "description": self.description, "context": dict(self.context)}
        if self.title:
            shown["title"] = self.title
        return {**shown, "action": dict(self.action)} if self.action is not None else shown
