"""The body of an answer as the step's output: JSON, text in its charset, or bytes as base64 with their type."""

from __future__ import annotations

import base64
import codecs
import json

from pydantic import JsonValue

from orchestration.actions.http.request_body import BYTES, charset_of
from orchestration.actions.output import NoNumber, parsed
from orchestration.core.media import MEDIA_TYPE

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks → the charset, the longer before the shorter that it begins with."""
NO_TEXT = ("image", "audio", "video", "font")
NO_TEXTS = ("application/pdf", "application/zip", "application/gzip", "application/x-tar")
TEXTS = ("image/svg+xml",)
NO_CHARSETS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined")
"""Python's own codecs, which are no charsets of documents."""


def output_of(body: bytes, content_type: str = "") -> JsonValue:
    """The JSON object of an answer; any other body under the key `body`; {} for none. Raises NoNumber."""
    if not body:
        return {}
    value, is_object = value_of(body, content_type)
    return value if is_object else {"body": value}


def value_of(body: bytes, content_type: str = "") -> tuple[JsonValue, bool]:
    """The JSON value, the text or the bytes of an answer, and whether it is a JSON object. Raises NoNumber.

    A number that would not be written again as it came (12e4, 0.10) is one where the Content-Type says JSON, and a text
    otherwise: as an id it has to stay what it is.

    A body that is no text in the charset of its Content-Type is {"base64": …, "type": …}, and so is every image,
    sound, film, font, PDF and archive: no byte is changed. No body at all is null.
    """
    if not body:
        return None, False
    kind = content_type.partition(";")[0].strip().lower()
    text = None if _is_binary(kind) else _text_of(body, kind, charset_of(content_type))
    if text is None:
        return {"base64": base64.b64encode(body).decode(), "type": _media(content_type)}, False
    try:
        value = parsed(text)
    except NoNumber:
        if _is_json(kind) or (not kind and text.lstrip()[:1] in ("{", "[")):
            raise
        return text, False
    except ValueError:
        return text, False
    if not _is_json(kind) and type(value) in (int, float) and str(value) != text.strip():
        return text, False
    return value, isinstance(value, dict)


def _text_of(body: bytes, kind: str, charset: str) -> str | None:
    """None: it is no text, or would not be the same bytes again. A byte order mark says more than the charset."""
    told = _is_json(kind) or kind.startswith("text/") or kind.endswith("xml") or bool(charset)
    marked = next((found for mark, found in MARKS if body.startswith(mark)), "") if told else ""
    for one in (marked, _known(charset), json.detect_encoding(body) if _is_json(kind) else "utf-8"):
        text = _decoded(body, one) if one else None
        if text is not None:
            return text
    return None


def _decoded(body: bytes, charset: str) -> str | None:
    try:
        text = body.decode(charset)
    except (UnicodeError, LookupError):
        return None
    return None if "\x00" in text else text.removeprefix("\ufeff")


def _known(charset: str) -> str:
    """The codec of a charset; '' for one that does not exist, or that is none of texts."""
    try:
        name = codecs.lookup(charset).name if charset else ""
    except (LookupError, ValueError):
        return ""
    return "" if name in NO_CHARSETS else name


def _is_binary(kind: str) -> bool:
    return kind not in TEXTS and (kind.partition("/")[0] in NO_TEXT or kind in NO_TEXTS)


def _is_json(kind: str) -> bool:
    return kind.endswith(("/json", "+json"))


def _media(content_type: str) -> str:
    """As the service named it, so that it goes out again as it came."""
    text = content_type.strip()
    return text if MEDIA_TYPE.fullmatch(text) else BYTES
