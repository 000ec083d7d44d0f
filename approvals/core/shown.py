"""Whether a text that was made of another one still shows all of it: word by word, in order."""

from __future__ import annotations

import json
import re

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
