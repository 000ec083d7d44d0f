"""`{secret:NAME}` becomes its value here, inside the effect; redaction.py takes it out of everything that leaves."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
REFERENCE = re.compile(rf"\{{secret:({NAME.pattern})\}}")
SHORTEST = 4
"""Characters below which a value could not be told from other text, so not be kept out of it."""
UNFILLED = {
    "script": ("script",), "saga": ("definition", "context"),
    "agent": ("prompt", "context_files", "checks", "files", "repository", "branch", "requirements"),
}  # fmt: skip
"""Parts in which no reference is replaced: a script's text is a file, a child's definition and context are rows, and
what an agent is told goes to others."""


class MissingSecret(Exception):
    """A secret that is not set, or too short to be kept out of records; the message has the remedy."""


def _from_environment(name: str) -> str | None:
    value: str | None = settings.ZEN_SECRETS.get(name)
    return value


def _from_file(name: str) -> str | None:
    if not settings.ZEN_SECRETS_DIR:
        return None
    return _read(Path(settings.ZEN_SECRETS_DIR) / name)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        return None


PROVIDERS: tuple[Callable[[str], str | None], ...] = (_from_environment, _from_file)

_seen: set[str] = set()
_seen_lock = threading.Lock()


def secret(name: str) -> str:
    """The value of a secret, remembered for redaction.

    Raises:
        MissingSecret: it is not set, or shorter than SHORTEST characters.
    """
    value = next((value for value in (provider(name) for provider in PROVIDERS) if value is not None), None)
    if value is None:
        raise MissingSecret(
            f"the secret {name} is not set; set ZEN_SECRET_{name}, or put it into the file {name} of ZEN_SECRETS_DIR"
        )
    if len(value) < SHORTEST:
        raise MissingSecret(
            f"the secret {name} has fewer than {SHORTEST} characters, which could not be kept out of the records; "
            "set a longer one, or write it into the context if it is none"
        )
    with _seen_lock:
        _seen.add(value)
    return value


def known() -> frozenset[str]:
    """Every value that must not be shown: those the site has now, and those this process has used before."""
    with _seen_lock:
        seen = frozenset(_seen)
    return seen | frozenset(settings.ZEN_SECRETS.values()) | _in_folder(settings.ZEN_SECRETS_DIR)


def _in_folder(folder: str) -> frozenset[str]:
    if not folder:
        return frozenset()
    try:
        return _files_of(folder, Path(folder).stat().st_mtime_ns)
    except OSError:
        return frozenset()


@lru_cache(maxsize=2)
def _files_of(folder: str, changed: int) -> frozenset[str]:
    """`changed` makes another key once files came or went."""
    found = (_read(path) for path in Path(folder).iterdir() if NAME.fullmatch(path.name))
    return frozenset(value for value in found if value)


def resolve(value: Any) -> Any:
    """A JSON value with every `{secret:NAME}` replaced. Raises MissingSecret."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: secret(match.group(1)), value)
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in value.items()}
    return value


def resolve_action(action: dict[str, Any]) -> dict[str, Any]:
    """An action with its references replaced; inside a URL a secret is percent-encoded, unless the URL begins with it.

    Raises:
        MissingSecret: one of them is not set.
    """
    fixed = ("url", *UNFILLED.get(str(action.get("type")), ()))
    resolved = {key: value if key in fixed else resolve(value) for key, value in action.items()}
    if "url" in action:
        resolved["url"] = REFERENCE.sub(
            lambda match: quote(secret(match.group(1)), safe="") if match.start() else secret(match.group(1)),
            str(action["url"]),
        )
    return resolved
