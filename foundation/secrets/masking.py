"""Masks what looks like a credential by its name, for excerpts that people read; what is known by value is redacted.

`{secret:NAME}` is a reference and stays; a value beside a name such as `password` or `X-Api-Key` goes.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from foundation.secrets.redaction import MASK, head, redact
from foundation.secrets.store import REFERENCE

WORDS = frozenset({
    "password", "passwd", "pwd", "passphrase", "passcode", "secret", "token", "credential", "credentials",
    "authorization", "authentication", "cookie", "signature", "sig", "otp", "cvv", "cvc", "pin", "apikey", "bearer",
    "jwt", "auth", "session", "sessionid",
})  # fmt: skip
PAIRS = frozenset({
    ("api", "key"), ("access", "key"), ("private", "key"), ("signing", "key"), ("session", "id"), ("card", "number"),
    ("secret", "key"), ("account", "key"), ("shared", "key"), ("client", "key"), ("encryption", "key"),
})  # fmt: skip
OF_QUERIES = frozenset({"key", "code", "k", "sid"})
"""Names that are a credential's in a query only."""
COUNTS = frozenset({"tokens", "count", "limit", "length", "type", "expires", "ttl"})
"""Words that say of a name that it tells about a credential: `token_type`, `password_length`."""
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
SCHEME = re.compile(r"^\s*(?:bearer|basic|token|digest)?[\s:,;]*$", re.IGNORECASE)
PAIR_IN_TEXT = re.compile(
    r"""(?P<name>["']?[A-Za-z][\w.-]{0,60}["']?)(?P<between>\s*[:=]\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"?|'[^']*'?|(?:(?:[Bb]earer|[Bb]asic)\s+)?[^\s,;&}\])"']+)"""
)
SLACK = 2048
"""Characters beyond an excerpt that are looked at, so that a secret at its end is seen whole."""


def is_sensitive(name: str, *, in_query: bool = False) -> bool:
    """Whether what has this name is a credential, by the words of the name."""
    words = [word.lower() for word in PART.findall(name)]
    if COUNTS & set(words):
        return False
    if WORDS & set(words) or PAIRS & set(pairwise(words)):
        return True
    return in_query and name.lower() in OF_QUERIES


def value_shown(name: str, value: str, *, in_query: bool = False) -> str:
    """The value of this name, or the mask; what is only a reference to a secret stays."""
    if not is_sensitive(name, in_query=in_query) or not value:
        return value
    return value if REFERENCE.search(value) and SCHEME.match(REFERENCE.sub("", value)) else MASK


def url_shown(url: str) -> str:
    """The URL without its user's part and fragment, the values of credentials in its query masked."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, query_shown(parts.query), ""))


def query_shown(query: str) -> str:
    """A query, or a form, as it is written, the values of credentials masked."""
    return "&".join(_pair_shown(pair) for pair in query.split("&")) if query else ""


def masked(value: Any) -> Any:
    """A JSON value, redacted, with what has a credential's name masked at every depth."""
    return _masked(redact(value))


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _masked_named(str(name), one) for name, one in value.items()}
    return [_masked(one) for one in value] if isinstance(value, list) else value


def _masked_named(name: str, value: Any) -> Any:
    return _masked(value) if _is_shown(name, value) else _instead(name, value)


def text_shown(text: str) -> str:
    """A text with the values masked that stand behind a credential's name, as in JSON, a form or `name: value`."""
    if text.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(text)
            shown = _masked(value)
            return text if shown == value else json.dumps(shown, ensure_ascii=False)
    return PAIR_IN_TEXT.sub(_shown_in_text, text)


def excerpt(value: Any, most: int) -> str:
    """The beginning of a JSON value as text, credentials masked by name.

    A text is shown as it is and not as a JSON string. It takes no more work than its length needs. What is cut is
    redacted before, since half a secret is not known; a value that fits is the caller's to redact.
    """
    room = most + SLACK
    if isinstance(value, str):
        return _fitting(text_shown(value[:room]), most, is_whole=len(value) <= room)
    found, length = [], 0
    for part in _parts(value, room):
        found.append(part)
        length += len(part)
        if length > room:
            break
    return _fitting("".join(found), most, is_whole=length <= room)


def _parts(value: Any, room: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield "{"
        for number, (name, one) in enumerate(value.items()):
            yield f"{', ' if number else ''}{json.dumps(str(name)[:room], ensure_ascii=False)}: "
            hidden = not _is_shown(str(name), one)
            yield from (json.dumps(_instead(str(name), one), ensure_ascii=False),) if hidden else _parts(one, room)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for number, one in enumerate(value):
            if number:
                yield ", "
            yield from _parts(one, room)
        yield "]"
    elif isinstance(value, str):
        yield json.dumps(text_shown(value[:room]), ensure_ascii=False)
    else:
        yield json.dumps(value, default=str)


def _is_shown(name: str, value: Any) -> bool:
    """Whether a value is shown as it is: it cannot be a credential, or its name is none of one."""
    return value in (None, "", [], {}) or isinstance(value, bool) or not is_sensitive(name)


def _instead(name: str, value: Any) -> str:
    return value_shown(name, value) if isinstance(value, str) else MASK


def _pair_shown(pair: str) -> str:
    name, there, value = pair.partition("=")
    return f"{name}{there}{value_shown(name, value, in_query=True)}"


def _shown_in_text(found: re.Match[str]) -> str:
    name, value = found["name"].strip("\"'"), found["value"]
    is_reference = found.start() > 0 and REFERENCE.match(found.string, found.start() - 1)
    if is_reference or value_shown(name, value.strip("\"'")) != MASK:
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found['name']}{found['between']}{quote}{MASK}{quote}"


def _fitting(text: str, most: int, *, is_whole: bool) -> str:
    if is_whole and len(text) <= most:
        return text
    return f"{head(text, most - 1, is_whole=is_whole)}…"
