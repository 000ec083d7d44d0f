"""The JSON half. The text is looked over once more than `json` does: its hooks know no line and no column."""

from __future__ import annotations

import json
import re

from foundation.strict_documents.unreadable import Unreadable

JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"(\s*:)?)?|[{}\[\]]|NaN|-?Infinity', re.DOTALL)


def read(text: str, *, most_levels: int) -> object:
    """The value of a JSON text.

    Raises:
        Unreadable: it is none, or holds what is refused.
    """
    try:
        _look_over(text, most_levels)
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(error.msg, "give plain JSON, or YAML", error.lineno, error.colno) from None
    except ValueError:
        raise Unreadable("holds a number with too many digits", "quote it, if it was meant as text") from None


def _look_over(text: str, most_levels: int) -> None:
    """Depth, keys given twice and NaN, which json.loads does not mind."""
    keys: list[set[str]] = []
    for match in JSON_TOKEN.finditer(text):
        mark = match.group(0)
        if mark in ("{", "["):
            keys.append(set())
            if len(keys) > most_levels:
                raise _at(text, match.start(), f"is nested more than {most_levels} levels deep", "flatten it")
        elif mark in ("}", "]"):
            del keys[-1:]
        elif not mark.startswith('"'):
            raise _at(text, match.start(), f"{mark} is not a number that JSON knows", "give a finite number")
        elif match.group(1) and keys:
            key = json.loads(mark[: -len(match.group(1))], strict=False)
            if key in keys[-1]:
                raise _at(text, match.start(), f"the key '{key[:80]}' is given twice", "keep one of the two")
            keys[-1].add(key)


def _at(text: str, offset: int, problem: str, remedy: str) -> Unreadable:
    before = text[:offset]
    return Unreadable(problem, remedy, before.count("\n") + 1, offset - before.rfind("\n"))
