"""Text from anywhere, fit to be sent: no character that hides, reverses or cannot be stored. Pure."""

from __future__ import annotations

import unicodedata

KEPT = "\n\t"
BREAKS = {"Zl": "\n", "Zp": "\n"}
HIDDEN = ("Cc", "Cf", "Cs")


def clean(text: str) -> str:
    """Without control, direction and zero-width characters; line ends as \\n."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in BREAKS:
        return BREAKS[kind]
    return "" if kind in HIDDEN and character not in KEPT else character


def one_line(text: str, most: int) -> str:
    """The text on one line, cleaned, with single spaces, at most `most` characters."""
    return cut(" ".join(clean(text).split()), most)


def cut(text: str, most: int) -> str:
    """The text, or its first `most - 1` characters and an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
