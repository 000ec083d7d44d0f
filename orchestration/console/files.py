"""Files and pairs that a start is given at the console, read into values. Raises BadInput that names the option."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from foundation.console.pairs import pairs
from foundation.errors import BadInput
from orchestration.runs.documents import load_text


def read_document(file: str, field: str = "file") -> object:
    """What a YAML or JSON file holds."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"{file} cannot be read: {reason}", field=field, remedy="give a YAML or JSON file") from None
    return load_text(text, name=file)


def configuration(given: Iterable[str] | None) -> dict[str, Any]:
    """A run's configuration from FILE and KEY=VALUE, a later one laid over an earlier one."""
    found: dict[str, Any] = {}
    for one in given or ():
        found |= pairs([one], "config") if "=" in one else _mapping(one)
    return found


def _mapping(file: str) -> dict[str, Any]:
    if not Path(file).exists():
        remedy = f"give a YAML or JSON file, or {file}=VALUE"
        raise BadInput(f"there is no file {file}, and it is no KEY=VALUE", field="config", remedy=remedy)
    held = read_document(file, "config")
    if not isinstance(held, dict):
        raise BadInput(
            f"{file} holds a {type(held).__name__} and no mapping", field="config",
            remedy="such as alert_on_failure: true, one key a line",
        )  # fmt: skip
    return held
