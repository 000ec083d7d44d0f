"""The body of an api_call's request: its bytes and its Content-Type."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx2
from pydantic import JsonValue

from orchestration.actions.base import Call
from orchestration.actions.http.sendable import NotBuilt, encodable, given_headers, pairs_of, word
from orchestration.core.definition.call_bodies import BODIES, FORM, JSON, PARTS, media_type
from orchestration.core.media import MEDIA_TYPE, bytes_of, is_binary
from orchestration.core.templates import text_of

TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"


def body_of(call: Call) -> tuple[bytes | None, str]:
    """The bytes, and the Content-Type where the action gives none ('' to send none)."""
    action = call.action
    given = [key for key in BODIES if action.get(key) is not None]
    if len(given) > 1:
        raise NotBuilt(f"{given[1]} is given beside {given[0]}")
    match given:
        case ["payload"]:
            return _payload(action)
        case ["form"]:
            return urlencode([*pairs_of("form", action["form"])]).encode(), FORM
        case ["multipart"]:
            return _multipart(call)
        case ["body"]:
            return _written(action)
    return None, ""


def _payload(action: Mapping[str, JsonValue]) -> tuple[bytes, str]:
    """JSON; a text as it is; a mapping as a form where the Content-Type says so."""
    payload = action["payload"]
    if isinstance(payload, str):
        return _in_charset("payload", payload, action), ""
    if media_type(action) == FORM:
        return urlencode([*pairs_of("payload", payload)]).encode(), FORM
    return _as_json(payload), JSON


def _written(action: Mapping[str, JsonValue]) -> tuple[bytes, str]:
    body = action["body"]
    if isinstance(body, str):
        return _in_charset("body", body, action), TEXT
    if not isinstance(body, dict):
        raise NotBuilt("body would be neither a text nor {text: …} nor {base64: …}; JSON goes in payload")
    kind = _media("body.type", body.get("type"))
    if body.get("base64") is not None:
        return _decoded("body.base64", body["base64"]), kind or BYTES
    if not isinstance(body.get("text"), str):
        raise NotBuilt("body would be neither a text nor {text: …} nor {base64: …}; JSON goes in payload")
    return _in_charset("body.text", str(body["text"]), action, kind), kind or TEXT


def _multipart(call: Call) -> tuple[bytes, str]:
    """The same bytes at each attempt: the boundary hangs on the key and the content, not on chance."""
    parts = call.action["multipart"]
    if not isinstance(parts, list) or not parts:
        raise NotBuilt("multipart would not be a list of parts")
    files = [_part(index, part) for index, part in enumerate(parts)]
    mark = hashlib.sha256(repr((call.idempotency_key, files)).encode()).hexdigest()[:32]
    kind = f"{PARTS}; boundary={mark}"
    request = httpx2.Request("POST", "http://unused", files=files, headers={"Content-Type": kind})
    return request.read(), kind


def _part(index: int, part: JsonValue) -> tuple[str, tuple[str | None, bytes, str | None]]:
    place = f"multipart[{index}]"
    if not isinstance(part, dict):
        raise NotBuilt(f"{place} would not be a mapping with a name")
    value, kind = part.get("value"), _media(f"{place}.content_type", part.get("content_type"))
    if part.get("base64") is not None:
        content = _decoded(f"{place}.base64", part["base64"])
    elif value is None:
        raise NotBuilt(f"{place} would have no value")
    elif isinstance(value, dict) and is_binary(value):
        content, kind = bytes_of(value["base64"]) or b"", kind or str(value["type"])
    elif isinstance(value, dict | list):
        content, kind = _as_json(value), kind or JSON
    else:
        content = encodable(f"{place}.value", text_of(value)).encode()
    filename = part.get("filename")
    return word(f"{place}.name", part.get("name")), (
        None if filename is None else word(f"{place}.filename", filename),
        content,
        kind or None,
    )


def _as_json(value: JsonValue) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _in_charset(place: str, text: str, action: Mapping[str, JsonValue], kind: str = "") -> bytes:
    """The text in the charset that its Content-Type names; UTF-8 where that names none."""
    written = (
        next((value for name, value in given_headers(action).items() if name.lower() == "content-type"), "") or kind
    )
    charset = charset_of(written) or "utf-8"
    try:
        return text.encode(charset)
    except (UnicodeError, LookupError):
        raise NotBuilt(f"{place} cannot be written in {charset}, which its Content-Type names") from None


def charset_of(content_type: str) -> str:
    """The charset that a Content-Type names; '' for none."""
    found = re.search(r";\s*charset\s*=\s*\"?([A-Za-z0-9._:-]+)", content_type, re.IGNORECASE)
    return found[1] if found else ""


def _decoded(place: str, text: JsonValue) -> bytes:
    found = bytes_of(text)
    if found is None:
        raise NotBuilt(f"{place} would be no base64")
    return found


def _media(place: str, kind: JsonValue) -> str:
    if kind is None:
        return ""
    if not isinstance(kind, str) or not MEDIA_TYPE.fullmatch(kind):
        raise NotBuilt(f"{place} would be no media type such as application/pdf")
    return kind
