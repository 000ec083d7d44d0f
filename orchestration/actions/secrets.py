"""`{secret:NAME}` becomes its value here, inside the effect, and is taken out of everything that leaves it."""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from django.conf import settings

REFERENCE = re.compile(r"\{secret:([A-Z][A-Z0-9_]*)\}")
MASK = "[redacted]"
SHORTEST_IN_TEXT = 4


class MissingSecret(Exception):
    pass


def _from_environment(name: str) -> str | None:
    value: str | None = settings.ZEN_SECRETS.get(name)
    return value


def _from_file(name: str) -> str | None:
    if not settings.ZEN_SECRETS_DIR:
        return None
    try:
        return (Path(settings.ZEN_SECRETS_DIR) / name).read_text(encoding="utf-8").removesuffix("\n")
    except OSError:
        return None


PROVIDERS: tuple[Callable[[str], str | None], ...] = (_from_environment, _from_file)

_seen: set[str] = set()
_seen_lock = threading.Lock()


def secret(name: str) -> str:
    """The value of a secret, remembered for redaction. Raises MissingSecret with both remedies."""
    for provider in PROVIDERS:
        value = provider(name)
        if value is not None:
            with _seen_lock:
                _seen.add(value)
            return value
    raise MissingSecret(
        f"the secret {name} is not set; set ZEN_SECRET_{name}, or put it into the file {name} of ZEN_SECRETS_DIR"
    )


def resolve(value: Any) -> Any:
    """A JSON value with every reference replaced."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: secret(match.group(1)), value)
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in value.items()}
    return value


def resolve_action(action: dict[str, Any]) -> dict[str, Any]:
    """An action with every reference replaced; inside a URL a secret is percent-encoded, unless it begins it."""
    resolved: dict[str, Any] = resolve({key: value for key, value in action.items() if key != "url"})
    if "url" in action:
        resolved["url"] = REFERENCE.sub(
            lambda match: quote(secret(match.group(1)), safe="") if match.start() else secret(match.group(1)),
            str(action["url"]),
        )
    return resolved


def redact(value: Any) -> Any:
    """A JSON value without any secret this process has resolved, keys included, in the spellings they take."""
    with _seen_lock:
        known = sorted(_seen, key=len, reverse=True)
    return _without(value, known) if known else value


def _without(value: Any, known: list[str]) -> Any:
    if isinstance(value, str):
        return redact_text(value, known)
    if isinstance(value, list | tuple):
        return [_without(item, known) for item in value]
    if isinstance(value, dict):
        return {_without(key, known): _without(item, known) for key, item in value.items()}
    if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in known:
        return MASK
    return value


def redact_text(text: str, known: list[str]) -> str:
    for value in known:
        if text == value:
            return MASK
        if len(value) >= SHORTEST_IN_TEXT:
            for spelling in _spellings(value):
                text = text.replace(spelling, MASK)
    return text


def _spellings(value: str) -> list[str]:
    raw = value.encode()
    encoded = [value, json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value), base64.b64encode(raw).decode()]
    # inside a longer base64 text (such as user:password) the value starts at one of three offsets
    for offset in (1, 2):
        body = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        encoded.append(body[4:-1] if len(body) > 9 else value)
    inner = base64.b64encode(raw).decode().rstrip("=")[:-1]
    encoded.append(inner if len(inner) > 5 else value)
    return sorted(set(encoded), key=len, reverse=True)


class RedactingFilter(logging.Filter):
    """Takes resolved secrets out of log records, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _seen:
            record.msg, record.args = redact(record.getMessage()), ()
            if record.exc_info and not record.exc_text:
                record.exc_text = logging.Formatter().formatException(record.exc_info)
            if record.exc_text:
                record.exc_text = redact(record.exc_text)
        return True
