"""Whether a text that was made of another one still shows all of it: word by word, in order."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z0-9]+|[^\x00-\x7f\s]")
"""A run of letters and digits of ASCII, and any other sign by itself: not all scripts have spaces between words."""


def shows(source: str, shown: str) -> bool:
    """Markup may go, and words may be added; none of the source's may be lost, run together, or stand elsewhere."""
    found = iter(_WORD.findall(shown))
    return all(word in found for word in _WORD.findall(source))
