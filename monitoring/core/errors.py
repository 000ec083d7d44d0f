"""What kind of error it was, and whether two errors are the same: for groups, policies and sentences."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from enum import StrEnum


class ErrorClass(StrEnum):
    """The kinds of error that policies know."""

    HTTP_4XX = "http_4xx"
    HTTP_429 = "http_429"
    HTTP_5XX = "http_5xx"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    REFUSED = "refused"
    TASK_RAISED = "task_raised"
    SCRIPT_EXIT = "script_exit"
    TEMPLATE = "template"
    MACHINERY = "machinery"
    SCHEMA = "schema"


_BY_WORDS: tuple[tuple[str, ErrorClass], ...] = (
    ("certificate", ErrorClass.TLS),
    ("ssl", ErrorClass.TLS),
    ("no answer within", ErrorClass.TIMEOUT),
    ("timed out", ErrorClass.TIMEOUT),
    ("timeout", ErrorClass.TIMEOUT),
    ("workers were lost", ErrorClass.MACHINERY),
    ("machinery", ErrorClass.MACHINERY),
    ("connection refused", ErrorClass.CONNECTION),
    ("connect", ErrorClass.CONNECTION),
    ("name or service not known", ErrorClass.CONNECTION),
    ("the script ended", ErrorClass.SCRIPT_EXIT),
    ("the script was killed", ErrorClass.SCRIPT_EXIT),
    ("the task raised", ErrorClass.TASK_RAISED),
    ("schema", ErrorClass.SCHEMA),
    ("is not known", ErrorClass.TEMPLATE),
    ("template", ErrorClass.TEMPLATE),
    ("refused", ErrorClass.REFUSED),
    ("rejected", ErrorClass.REFUSED),
)


def _is_id(word: str) -> bool:
    """Whether it looks like an id of some service's own: letters with digits, or no word of any language."""
    if any(character.isdigit() for character in word):
        return len(word) >= 16 or not {"/", "+"} & set(word)
    return len(word) >= 24 and word.isalpha()


_VARYING: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"https?://\S+"), "URL"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\""), "QUOTED"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b", re.IGNORECASE), "HEX"),
    (re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}"), lambda found: "ID" if _is_id(found[0]) else found[0]),
    (re.compile(r"\d+"), "N"),
)

LONGEST, TOLD_APART = 2000, 200
"""Characters of an error that are looked at; of what is left of it without what varies. The end of an answer's body,
which is cut, is another where its ids have other lengths."""


def class_of(error: str, status: int | None = None) -> str:
    """One of ErrorClass, or '' for what fits none. `status`: of an HTTP answer, which says more than any words."""
    if status is not None:
        if status == 429:
            return ErrorClass.HTTP_429
        if 400 <= status < 500:
            return ErrorClass.HTTP_4XX
        if status >= 500:
            return ErrorClass.HTTP_5XX
    told = _VARYING[0][0].sub("", error[:LONGEST]).lower()  # a host or path may have any words
    return next((found for words, found in _BY_WORDS if words in told), "")


def fingerprint(error: str, error_class: str) -> str:
    """16 hex digits that are the same for errors that differ only in ids, numbers, times, quoted words and URLs.

    Services put ids of their own into the answers that say no; each would be a group, and a message to everybody.
    """
    text = error[:LONGEST]
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return hashlib.sha256(f"{error_class}\n{text[:TOLD_APART]}".encode()).hexdigest()[:16]


def in_short(error: str, status: int | None, host: str) -> str:
    """A few words for a sentence: `HTTP 503 from payments.local`, or the error's first 160 characters."""
    if status is not None:
        return f"HTTP {status}" + (f" from {host}" if host else "")
    line = " ".join(error.split())
    return line if len(line) <= 160 else line[:157] + "..."
