"""Policies, contents and votes as text, YAML or JSON."""

from __future__ import annotations

from foundation.strict_documents import read_text
from orchestration.core.definition.shape import dotted

MOST_BYTES = 1024 * 1024
MOST_LEVELS = 50


def load_text(text: str, *, name: str = "policy") -> object:
    """The JSON value in a text. `name`: the file's name, or a word for it; with `.json` the text is read as JSON.

    Raises:
        BadInput: with line, column and remedy.
    """
    return read_text(
        text, name=name, field="definition", most_bytes=MOST_BYTES, most_levels=MOST_LEVELS,
        too_large="make it shorter", place=lambda _, path: dotted(path),
    )  # fmt: skip
