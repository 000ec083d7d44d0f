"""Documents that people write, YAML or JSON, read to plain JSON values and nothing else.

YAML is read as its 1.2 core schema: `true` and `false` are the only booleans (`no` and `on` are text), dates and times
stay text, `010` is ten. Aliases, anchors, tags of other types, keys given twice, numbers that JSON does not know, and
texts that are too deep or too large are refused, the last before anything is parsed.

Sagas read theirs through `orchestration.runs.documents`, policies through `approvals.policies.documents`: each has its
own limits, and words of its own for what to do about them.
"""

from __future__ import annotations

import re

from foundation.errors import BadInput
from foundation.strict_documents import json_text, yaml_text
from foundation.strict_documents.unreadable import Unreadable
from foundation.strict_documents.yaml_text import Place

__all__ = ["Place", "read_text"]


def read_text(
    text: str, *, name: str, field: str, most_bytes: int, most_levels: int, too_large: str, place: Place
) -> object:
    """The JSON value in a text.

    `name`: the file's name, or a word for it; with `.json` the text is read as JSON. `field`: what the error is about.
    `most_bytes`: of the text in UTF-8. `too_large`: what to do about more. `place`: words for a place in the document.

    Raises:
        BadInput: with line, column and remedy.
    """
    text = text.removeprefix("\ufeff")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadInput(f"{name} is not UTF-8 text", field=field, remedy="save it as UTF-8") from None
    if size > most_bytes:
        raise BadInput(f"{name} is larger than {most_bytes // 2**20} MiB", field=field, remedy=too_large)
    try:
        if _seems_json(text, name):
            return json_text.read(text, most_levels=most_levels)
        return yaml_text.read(text, most_levels=most_levels, place=place)
    except Unreadable as fault:
        where = f"{name}, line {fault.line}, column {fault.column}" if fault.line else name
        raise BadInput(f"{where}: {fault.problem}", field=field, remedy=fault.remedy) from None


def _seems_json(text: str, name: str) -> bool:
    if name.lower().endswith((".yaml", ".yml")):
        return False
    return name.lower().endswith(".json") or re.match(r"\s*(\{\s*[\"}]|\[\s*[\[{\"\]])", text) is not None
