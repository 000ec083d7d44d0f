"""Values of YAML's scalars, by its 1.2 core schema."""

from __future__ import annotations

import re
from typing import Any

from foundation.strict_documents.unreadable import Unreadable

STRING = "tag:yaml.org,2002:str"
NULL = re.compile(r"~|null|Null|NULL|")
BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolved(event: Any) -> object:
    """A scalar's value by the core schema; quoted or tagged !!str it is text."""
    text: str = event.value
    if event.tag in (STRING, "!") or (not event.implicit[0] and not event.tag):
        return text
    if NULL.fullmatch(text):
        return None
    if BOOLEAN.fullmatch(text):
        return text.lower() == "true"
    if NO_NUMBER.fullmatch(text):
        return float(text.replace(".", "").lower())
    try:
        return _number(text)
    except ValueError:
        raise marked(event, "a number with too many digits", "quote it, if it was meant as text") from None


def _number(text: str) -> int | float | str:
    if INTEGER.fullmatch(text):
        found = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        str(found)  # read from hexadecimal it may have more digits than can be written again
        return found
    if NUMBER.fullmatch(text):
        return float(text)
    return text


def marked(event: Any, problem: str, remedy: str) -> Unreadable:
    """The fault, with the place of the parser's event."""
    return Unreadable(problem, remedy, event.start_mark.line + 1, event.start_mark.column + 1)
