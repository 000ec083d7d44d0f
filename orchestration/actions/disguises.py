"""Whether a text holds a secret in a disguise: folded, encoded, escaped, or in another case.

The text is brought back to plain letters before it is searched, so no spelling has to be foreseen one by one. Where
in the text it stands is then not known: whoever asks masks the whole text.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

SHORTEST = 8
"""Characters of a secret below which its disguises could be anything."""
SHORTEST_CODE = 11
DEEPEST = 3
_BLANKS = re.compile(r"\s+|\\+[nrt]")
_ESCAPE = re.compile(r"\\+u\{([0-9a-fA-F]{1,6})\}|\\+u([0-9a-fA-F]{4})|\\+U([0-9a-fA-F]{8})|\\+x([0-9a-fA-F]{2})")


def is_hidden(text: str, values: frozenset[str]) -> bool:
    """`values`: the secrets, and those parts of them that come back alone."""
    needles = _needles(values)
    return bool(needles) and any(needle in form for form in _forms(text) for needle in needles)


def _forms(text: str) -> Iterator[str]:
    """The text without blanks and in one case: as it is, and after each layer of escapes is taken off."""
    for _ in range(DEEPEST):
        yield _squeezed(text)
        plain = _unescaped(text)
        if plain == text:
            return
        text = plain
    yield _squeezed(text)


def _squeezed(text: str) -> str:
    return _BLANKS.sub("", text).casefold()


def _unescaped(text: str) -> str:
    if "\\" in text:
        text = _ESCAPE.sub(_character, text)
    if "&" in text:
        text = html.unescape(text)
    return unquote(text) if "%" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(next(group for group in match.groups() if group), 16)
    return chr(code) if code < 0x110000 else match[0]


@lru_cache(maxsize=4)
def _needles(values: frozenset[str]) -> tuple[str, ...]:
    found = {needle for value in values if len(value) >= SHORTEST for needle in _of(value)}
    return tuple(sorted(needle for needle in found if len(needle) >= SHORTEST))


def _of(value: str) -> Iterator[str]:
    raw = value.encode()
    codes = [*_base64(raw), *_base32(raw)]
    twice = [code for once in _lines(raw) for code in (*_base64(once), *_base32(once))]
    yield _squeezed(value)
    yield raw.hex()
    yield from (_squeezed(code) for code in (*codes, *twice) if len(code) >= SHORTEST_CODE)


def _lines(raw: bytes) -> Iterable[bytes]:
    """The code of the secret as programs print it, in lines and in one, which another program encodes again."""
    sure = {*_base64(raw), *_base32(raw), raw.hex()}
    return {line for code in sure for line in (code[:76].encode(), code.encode()) if len(line) >= SHORTEST_CODE}


def _base64(raw: bytes) -> Iterator[str]:
    """The certain characters of it, where it begins at any of the three places of a group."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset, start in ((0, 0), (1, 2), (2, 3)):
            yield encode(b"\0" * offset + raw)[start : (offset + len(raw)) * 8 // 6].decode()


def _base32(raw: bytes) -> Iterator[str]:
    """The same, of the five places of base32's groups."""
    for offset in range(5):
        start = -(-offset * 8 // 5)
        yield base64.b32encode(b"\0" * offset + raw)[start : (offset + len(raw)) * 8 // 5].decode()
