"""From an api_call's action to the one request that it writes: URL, headers and body, each checked and encoded."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import httpx2
from pydantic import JsonValue

from foundation.outbound.redirects import Ask
from orchestration.actions.base import Call
from orchestration.actions.http.request_body import body_of
from orchestration.actions.http.sendable import NotBuilt, given_headers, pairs_of, word
from orchestration.core.definition.calls import CONTROL

PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
"""What a header takes as it is: ASCII, without spaces at its ends."""
NEVER = ("transfer-encoding", "upgrade")


def request_of(call: Call, url: httpx2.URL) -> Ask:
    """The request that an action writes. Raises NotBuilt, before anything is sent."""
    action = call.action
    body, kind = body_of(call)
    headers = {**given_headers(action), **_credentials(action)}
    present = {name.lower() for name in headers}
    if action.get("multipart") is not None:  # the boundary is ours
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        present.discard("content-type")
    defaults = {"Idempotency-Key": wire_key(call.idempotency_key), "User-Agent": "zen-orchestration"}
    if kind:
        defaults["Content-Type"] = kind
    headers |= {name: value for name, value in defaults.items() if name.lower() not in present}
    method = str(action.get("method", "GET"))
    return Ask(method=method, url=with_query(url, action), headers=_sendable(headers, body), body=body)


def wire_key(key: str) -> str:
    """An idempotency key as a header takes it: as it is, or percent-encoded where it has more than ASCII."""
    return key if PRINTABLE.fullmatch(key) else quote(key, safe="!#$&'()*+,/:;=?@[]|", errors="replace")


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


def with_query(url: httpx2.URL, action: Mapping[str, JsonValue]) -> httpx2.URL:
    pairs = [*pairs_of("query", action.get("query"))]
    if not pairs:
        return url
    added = urlencode(pairs, quote_via=quote, safe="").encode()
    return url.copy_with(query=url.query + b"&" + added if url.query else added)


def _credentials(action: Mapping[str, JsonValue]) -> dict[str, str]:
    auth = action.get("auth")
    if not isinstance(auth, dict):
        return {}
    if any(name.lower() == "authorization" for name in given_headers(action)):
        raise NotBuilt("the header 'Authorization' is given beside auth")
    if auth.get("bearer") is not None:
        return {"Authorization": f"Bearer {word('auth.bearer', auth['bearer'])}"}
    basic = auth.get("basic")
    if not isinstance(basic, list) or len(basic) != 2:
        raise NotBuilt("auth has neither bearer nor basic: [user, password]")
    user, password = (word("auth.basic", part) for part in basic)
    if ":" in user:
        raise NotBuilt("the user of auth.basic holds a colon, which ends the user's name")
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
