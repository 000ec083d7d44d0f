"""Definitions, actions and contexts as text, YAML or JSON."""

from __future__ import annotations

from foundation.strict_documents import read_text
from orchestration.core.definition import MOST_BYTES, MOST_LEVELS
from orchestration.core.definition.shape import locate


def load_text(text: str, *, name: str = "definition") -> object:
    """The JSON value in a text. `name`: the file's name, or a word for it; with `.json` the text is read as JSON.

    Raises:
        BadInput: with line, column and remedy.
    """
    return read_text(
        text, name=name, field="definition", most_bytes=MOST_BYTES, most_levels=MOST_LEVELS,
        too_large="split it into child sagas", place=_place,
    )  # fmt: skip


def _place(data: object, path: tuple[str | int, ...]) -> str:
    step, field = locate(data, path)
    return ", ".join(part for part in (step and f"step '{step}'", field) if part)
