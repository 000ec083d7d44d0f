"""From an api_call's action to the one request that it writes: URL, headers and body, each checked and encoded."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode

import httpx2
from pydantic import JsonValue

from orchestration.actions.base import Call
from orchestration.actions.redirects import Ask
from orchestration.core.definition.calls import (
    BODIES,
    CONTROL,
    FORM,
    JSON,
    PARTS,
    media_type,
)
from orchestration.core.media import MEDIA_TYPE, bytes_of, is_binary
from orchestration.core.templates import text_of

PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
"""What a header takes as it is: ASCII, without spaces at its ends."""
NEVER = ("transfer-encoding", "upgrade")
TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"


class NotBuilt(ValueError):
    """Why there is no request to send."""


def request_of(call: Call, url: httpx2.URL) -> Ask:
    """The request that an action writes. Raises NotBuilt, before anything is sent."""
    action = call.action
    body, kind = _body(call)
    headers = {**_given(action), **_credentials(action)}
    present = {name.lower() for name in headers}
    if action.get("multipart") is not None:  # the boundary is ours
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        present.discard("content-type")
    defaults = {"Idempotency-Key": wire_key(call.idempotency_key), "User-Agent": "zen-orchestration"}
    if kind:
        defaults["Content-Type"] = kind
    headers |= {name: value for name, value in defaults.items() if name.lower() not in present}
    method = str(action.get("method", "GET"))
    return Ask(method=method, url=_with_query(url, action), headers=_sendable(headers, body), body=body)


def wire_key(key: str) -> str:
    """An idempotency key as a header takes it: as it is, or percent-encoded where it has more than ASCII."""
    return key if PRINTABLE.fullmatch(key) else quote(key, safe="!#$&'()*+,/:;=?@[]|", errors="replace")


def _given(action: Mapping[str, JsonValue]) -> dict[str, str]:
    given = action.get("headers")
    return {str(name): text_of(value) for name, value in given.items()} if isinstance(given, dict) else {}


def _sendable(headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
    """Raises NotBuilt, naming the header and not its value, which may be a secret."""
    sent: dict[str, str] = {}
    for name, value in headers.items():
        text = value.strip(" \t")
        if CONTROL.search(text):
            raise NotBuilt(f"the header '{name}' holds a line break or another control character")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise NotBuilt(f"the header '{name}' holds half a surrogate pair")
        if name.lower() in NEVER:
            raise NotBuilt(f"the header '{name}' cannot be set by an action; remove it")
        if name.lower() == "content-length":
            if text != str(len(body or b"")):
                raise NotBuilt(
                    f"the header '{name}' contradicts the body, which has {len(body or b'')} bytes; remove it"
                )
            continue
        sent[name] = text
    return sent


def _with_query(url: httpx2.URL, action: Mapping[str, JsonValue]) -> httpx2.URL:
    pairs = [*_pairs("query", action.get("query"))]
    if not pairs:
        return url
    added = urlencode(pairs, quote_via=quote, safe="").encode()
    return url.copy_with(query=url.query + b"&" + added if url.query else added)


def _pairs(key: str, given: object) -> Iterator[tuple[str, str]]:
    """The parameters of a query or a form, in their order; a list repeats its name."""
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise NotBuilt(f"{key} would be no mapping")
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None or isinstance(one, dict | list):
                what = "null" if one is None else "a list or mapping"
                raise NotBuilt(f"{key} '{name}' would be {what}, not a text or number")
            yield str(name), _encodable(f"{key} '{name}'", text_of(one))


def _credentials(action: Mapping[str, JsonValue]) -> dict[str, str]:
    auth = action.get("auth")
    if not isinstance(auth, dict):
        return {}
    if any(name.lower() == "authorization" for name in _given(action)):
        raise NotBuilt("the header 'Authorization' is given beside auth")
    if auth.get("bearer") is not None:
        return {"Authorization": f"Bearer {_word('auth.bearer', auth['bearer'])}"}
    basic = auth.get("basic")
    if not isinstance(basic, list) or len(basic) != 2:
        raise NotBuilt("auth has neither bearer nor basic: [user, password]")
    user, password = (_word("auth.basic", part) for part in basic)
    if ":" in user:
        raise NotBuilt("the user of auth.basic holds a colon, which ends the user's name")
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def _word(place: str, value: JsonValue) -> str:
    if value is None or isinstance(value, dict | list):
        raise NotBuilt(f"{place} would be {'null' if value is None else 'a list or mapping'}, not a text")
    return _encodable(place, text_of(value))


# --- the body --------------------------------------------------------------------------------------------------------


def _body(call: Call) -> tuple[bytes | None, str]:
    """The bytes, and the Content-Type where the action gives none ('' to send none)."""
    action = call.action
    given = [key for key in BODIES if action.get(key) is not None]
    if len(given) > 1:
        raise NotBuilt(f"{given[1]} is given beside {given[0]}")
    match given:
        case ["payload"]:
            return _payload(action)
        case ["form"]:
            return urlencode([*_pairs("form", action["form"])]).encode(), FORM
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
        return urlencode([*_pairs("payload", payload)]).encode(), FORM
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
        content = _encodable(f"{place}.value", text_of(value)).encode()
    filename = part.get("filename")
    return _word(f"{place}.name", part.get("name")), (
        None if filename is None else _word(f"{place}.filename", filename),
        content,
        kind or None,
    )


def _as_json(value: JsonValue) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _in_charset(place: str, text: str, action: Mapping[str, JsonValue], kind: str = "") -> bytes:
    """The text in the charset that its Content-Type names; UTF-8 where that names none."""
    written = next((value for name, value in _given(action).items() if name.lower() == "content-type"), "") or kind
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


def _encodable(place: str, text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise NotBuilt(f"{place} holds half a surrogate pair")
    return text
