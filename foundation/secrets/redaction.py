"""Takes secrets out of outputs, errors, log records and tracebacks, in the spellings they come back in."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterable, Sequence
from typing import Any

from foundation.secrets.disguises import is_hidden, is_hidden_in_bytes
from foundation.secrets.spellings import all_parts, spellings_of
from foundation.secrets.store import SHORTEST, known
from foundation.telemetry import message_of

MASK = "[redacted]"
LONGEST_SHOWN = 4000
BYTES = re.compile(r"\[(?:\d{1,3}, ){3,}\d{1,3}\]")
"""A list of what may be bytes, in JSON."""


class Broke(Exception):
    """Stands for an error whose message held a secret; its own message is redacted."""


def redact(value: Any) -> Any:
    """A JSON value without any secret, keys included."""
    values = known()
    spellings = spellings_of(values)
    if not spellings:
        return value
    if isinstance(value, str):
        clean = _replaced(value, [plain for plain, _ in spellings if plain in value])
        return MASK if is_hidden(clean, all_parts(values)) else clean
    text = json.dumps(value, ensure_ascii=False, default=str)
    there = [plain for plain, as_json in spellings if as_json in text]
    if there:
        value = _without(value, there)
        text = json.dumps(value, ensure_ascii=False, default=str)
    is_in_doubt = BYTES.search(text) or is_hidden(text, all_parts(values))
    return _undisguised(value, all_parts(values)) if is_in_doubt else value


def _undisguised(value: Any, parts: frozenset[str]) -> Any:
    """Each text that holds a secret in a disguise is masked whole."""
    if isinstance(value, str):
        return MASK if is_hidden(value, parts) else value
    if isinstance(value, list | tuple):
        if _are_bytes(value) and is_hidden_in_bytes([*value], parts):
            return MASK
        return [_undisguised(item, parts) for item in value]
    if isinstance(value, dict):
        return {_undisguised(str(key), parts): _undisguised(item, parts) for key, item in value.items()}
    return value


def _are_bytes(value: Sequence[Any]) -> bool:
    return len(value) >= SHORTEST and all(type(item) is int and 0 <= item < 256 for item in value)


def head(text: str, limit: int, *, is_whole: bool = True) -> str:
    """The first characters, redacted before they are cut: half a secret is not recognised.

    `is_whole`: False when the text was cut before it came here, so that it may end in the beginning of a secret.
    """
    clean: str = redact(text)
    if not is_whole:
        longest = max((len(plain) for plain, _ in spellings_of(known())), default=0)
        clean = clean[: max(0, len(clean) - longest)]
    return clean[:limit]


def cleaned(error: BaseException) -> str:
    """The error's message without secrets; '' when neither the error nor its traceback holds one."""
    whole = "".join(traceback.format_exception(error))
    if redact(whole) == whole:
        return ""
    return head(f"{type(error).__name__}: {error}", LONGEST_SHOWN)


def _without(value: Any, there: list[str]) -> Any:
    if isinstance(value, str):
        return _replaced(value, there)
    if isinstance(value, list | tuple):
        return [_without(item, there) for item in value]
    if isinstance(value, dict):
        return {_replaced(str(key), there): _without(item, there) for key, item in value.items()}
    if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in there:
        return MASK
    return value


def _replaced(text: str, there: Iterable[str]) -> str:
    for spelling in there:
        text = text.replace(spelling, MASK)
    return text


class RedactingFilter(logging.Filter):
    """Takes secrets out of log records, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """logging's hook; changes the record in place and lets every record pass."""
        if not known():
            return True
        record.msg, record.args = redact(message_of(record)), ()  # logging would print what does not fit as it is
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
