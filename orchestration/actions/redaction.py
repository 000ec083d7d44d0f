"""Takes secrets out of outputs, errors, log records and tracebacks, in the spellings they come back in."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import traceback
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from orchestration.actions.disguises import is_hidden, is_hidden_in_bytes
from orchestration.actions.secrets import SHORTEST, known

MASK = "[redacted]"
LONGEST_SHOWN = 4000
BYTES = re.compile(r"\[(?:\d{1,3}, ){3,}\d{1,3}\]")
"""A list of what may be bytes, in JSON."""
SHORTEST_LINE, SHORTEST_PART, SHORTEST_CODE = 16, 8, 6


class Broke(Exception):
    """A fault whose own words would have told a secret."""


def redact(value: Any) -> Any:
    """A JSON value without any secret, keys included."""
    values = known()
    spellings = _spellings(values)
    if not spellings:
        return value
    if isinstance(value, str):
        clean = _replaced(value, [plain for plain, _ in spellings if plain in value])
        return MASK if is_hidden(clean, _all_parts(values)) else clean
    text = json.dumps(value, ensure_ascii=False, default=str)
    there = [plain for plain, as_json in spellings if as_json in text]
    if there:
        value = _without(value, there)
        text = json.dumps(value, ensure_ascii=False, default=str)
    is_in_doubt = BYTES.search(text) or is_hidden(text, _all_parts(values))
    return _undisguised(value, _all_parts(values)) if is_in_doubt else value


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


@lru_cache(maxsize=4)
def _all_parts(values: frozenset[str]) -> frozenset[str]:
    return frozenset(part for value in values for part in _parts(value))


def head(text: str, limit: int, *, is_whole: bool = True) -> str:
    """The first characters, redacted before they are cut: half a secret is not recognised.

    `is_whole`: False when the text was cut before it came here, so that it may end in the beginning of a secret.
    """
    clean: str = redact(text)
    if not is_whole:
        longest = max((len(plain) for plain, _ in _spellings(known())), default=0)
        clean = clean[: max(0, len(clean) - longest)]
    return clean[:limit]


def cleaned(error: BaseException) -> str:
    """What broke, without secrets; '' when neither the error nor what led to it tells one."""
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


@lru_cache(maxsize=4)
def _spellings(values: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Each spelling of each value with its form inside JSON text, the longest first."""
    found = {spelling for value in values for part in _parts(value) for spelling in _ways_to_write(part)}
    ordered = sorted((spelling for spelling in found if len(spelling) >= SHORTEST), key=len, reverse=True)
    return tuple((spelling, json.dumps(spelling, ensure_ascii=False)[1:-1]) for spelling in ordered)


def _parts(value: str) -> Iterator[str]:
    """The value, and what of it comes back alone: the lines of a key file, the path and query of a secret URL."""
    yield value
    yield value.strip()
    lines = value.splitlines()
    yield from (line for line in lines if len(lines) > 1 and len(line) >= SHORTEST_LINE)
    if "://" in value:
        try:
            url = urlsplit(value)
            parts = (url.path.strip("/"), url.query, url.password or "")
        except ValueError:
            return
        yield from (part for part in parts if len(part) >= SHORTEST_PART)


def _ways_to_write(value: str) -> set[str]:
    raw = value.encode()
    percent = {quote(value, safe=""), quote(value), quote_plus(value), quote(quote(value, safe=""), safe="")}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], value.replace("/", "\\/")}
    escaped |= {json.dumps(text)[1:-1] for text in escaped}  # JSON inside JSON
    return {
        value,
        *percent,
        *(re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), text) for text in percent),
        *escaped,
        repr(value)[1:-1],
        repr(raw)[2:-1],
        html.escape(value),
        html.escape(value, quote=False),
        raw.hex(),
        raw.hex().upper(),
        *_base64(raw),
    }


def _base64(raw: bytes) -> Iterator[str]:
    """Whole, and the certain characters of it inside a longer text, where it begins at one of three places."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        for offset, start in ((0, 0), (1, 2), (2, 3)):
            sure = encode(b"\0" * offset + raw)[start : (offset + len(raw)) * 8 // 6].decode()
            if len(sure) >= SHORTEST_CODE:
                yield sure


class RedactingFilter(logging.Filter):
    """Takes secrets out of log records, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not known():
            return True
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # logging itself would print the arguments as they are
            message = f"{record.msg} {record.args}"
        record.msg, record.args = redact(message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
