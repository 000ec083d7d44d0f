"""Names in templates, written and in parts: `items.0.sku`, `step["@odata.id"]`, `["first name"]`.

A part that is no plain name stands in brackets and quotes. JSON's escapes hold in double quotes: `\\u007b` is a brace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache

MARK = "{secret:"
"""How a reference to a secret begins, which is no name to look up."""

PLAIN = r"(?!__)\w[\w-]*"
QUOTED = r"""\[(?:"(?:[^"\\]|\\.)*"|'[^']*')\]"""
NAME = re.compile(rf"(?:(?!\d+(?:[.\[]|$)){PLAIN}|{QUOTED})(?:\.{PLAIN}|{QUOTED})*")
PART = re.compile(rf"\.?({PLAIN})|({QUOTED})")
FIRST = re.compile(rf"(?!\d+$){PLAIN}")
LATER = re.compile(PLAIN)


@lru_cache(maxsize=4096)
def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a name. Raises ValueError for what is none."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name")
    return tuple(match[1] or _unquoted(match[2][1:-1]) for match in PART.finditer(name))


@lru_cache(maxsize=4096)
def head_of(name: str) -> str:
    """The first part of a name."""
    return parts_of(name)[0]


def name_of(parts: Iterable[str]) -> str:
    """The one way to write a name: plain parts with dots, the others in brackets."""
    written = ""
    for part in parts:
        if (LATER if written else FIRST).fullmatch(part):
            written += f".{part}" if written else part
        else:
            quoted = json.dumps(part, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")
            written += f"[{quoted}]"
    return written


def _unquoted(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1]
    value = json.loads(text, strict=False)
    return str(value)
