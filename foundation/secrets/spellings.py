"""How a secret comes back: the parts of it that stand alone, and the ways to write each."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus, urlsplit

from foundation.secrets.store import SHORTEST

SHORTEST_LINE, SHORTEST_PART, SHORTEST_CODE = 16, 8, 6


@lru_cache(maxsize=4)
def all_parts(values: frozenset[str]) -> frozenset[str]:
    """Each value, and what of it comes back alone."""
    return frozenset(part for value in values for part in _parts(value))


@lru_cache(maxsize=4)
def spellings_of(values: frozenset[str]) -> tuple[tuple[str, str], ...]:
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
