"""Whether a text holds a secret in another form: folded, encoded, escaped, or in another case.

The text is brought back to plain letters before it is searched, so no spelling has to be foreseen one by one. Where in
the text the secret is cannot be told then: the caller masks the whole text.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

SHORTEST = 8
"""Characters of a secret below which its disguises could be anything."""
SHORTEST_CODE = 11
DEEPEST = 3
FEWEST_LETTERS = 10
"""Letters and digits of a secret, above which its other characters do not count."""
_RUN = r"(?<!\\)\\+"
"""All backslashes of a run at once: to begin anew at each of them costs the square of their number."""
_BLANKS = re.compile(rf"\s+|{_RUN}[nrt]")
_ESCAPE = re.compile(
    rf"{_RUN}(?:u\{{([0-9a-fA-F]{{1,6}})\}}|u([0-9a-fA-F]{{4}})|U([0-9a-fA-F]{{8}})|x([0-9a-fA-F]{{2}}))"
)
_OCTAL = re.compile(rf"{_RUN}([0-3][0-7]{{2}})")
_NO_LETTER = re.compile(r"[\W_]+")
_PRINTABLE = re.compile(r"=([0-9A-F]{2})|=\s*(?:\n|(?:\\+r)?\\+n)")


def is_hidden(text: str, values: frozenset[str]) -> bool:
    """Whether the text holds one of `values` in another form.

    The secrets, and those parts of them that come back alone.
    """
    needles, words = _needles(values)
    return bool(needles or words) and any(_holds(form, needles, words) for form in _forms(text))


def is_hidden_in_bytes(numbers: list[int], values: frozenset[str]) -> bool:
    """The bytes of a text as a list of numbers, as some languages write them in JSON."""
    return is_hidden(bytes(numbers).decode(errors="replace"), values)


def _forms(text: str) -> Iterator[str]:
    """The text without blanks and in one case: as it is, and after each layer of escapes is taken off."""
    for _ in range(DEEPEST):
        yield _squeezed(text)
        if _PRINTABLE.search(text):
            yield _squeezed(_utf8(_PRINTABLE.sub(_byte, text)))
        plain = _unescaped(text)
        if plain == text:
            return
        text = plain
    yield _squeezed(text)


def _holds(form: str, needles: tuple[str, ...], words: tuple[str, ...]) -> bool:
    letters = _letters(form)
    return any(word in letters for word in words) or any(needle in form for needle in needles)


def _letters(form: str) -> str:
    return _NO_LETTER.sub("", form)


def _utf8(text: str) -> str:
    """A text of single bytes as what they are in UTF-8; any other as it is."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _byte(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else ""


def _squeezed(text: str) -> str:
    return _BLANKS.sub("", text).casefold()


def _unescaped(text: str) -> str:
    if "\\" in text:
        text = _ESCAPE.sub(_character, text)
        text = _utf8(_OCTAL.sub(lambda code: chr(int(code[1], 8)), text)) if _OCTAL.search(text) else text
    if "&" in text:
        text = html.unescape(text)
    return unquote(text) if "%" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(next(group for group in match.groups() if group), 16)
    return chr(code) if code < 0x110000 else match[0]


@lru_cache(maxsize=4)
def _needles(values: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is looked for in a form, and, where it has enough of them, in the letters and digits of one alone."""
    found = {needle for value in values if len(value) >= SHORTEST for needle in _of(value)}
    words = {word for word in map(_letters, found) if len(word) >= FEWEST_LETTERS}
    needles = {needle for needle in found if len(needle) >= SHORTEST and len(_letters(needle)) < FEWEST_LETTERS}
    return tuple(sorted(needles)), tuple(sorted(words))


def _of(value: str) -> Iterator[str]:
    raw = value.encode()
    codes = [*_base64(raw), *_base32(raw), *_base64(value.encode("utf-16-le")), *_base64(value.encode("utf-16-be"))]
    for written in {json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value)} - {value}:
        codes += _base64(written.encode())
    twice = [code for once in _lines(raw) for code in (*_base64(once), *_base32(once))]
    yield _squeezed(value)
    yield _squeezed(value)[::-1]
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
