"""What an attempt asked, as people may read it: bounded, its secrets as references, credentials masked by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from pydantic import JsonValue

from foundation.secrets.masking import excerpt, url_shown, value_shown
from orchestration.core.definition.call_bodies import BODIES

LONGEST_URL, LONGEST_HEADER, MOST_HEADERS, MOST_OF_BODY = 1000, 200, 30, 2000
NOT_PAYLOAD = frozenset({"type", "handler"})


def request_shown(action: Mapping[str, JsonValue], key: str) -> dict[str, JsonValue] | None:
    """The request of a rendered action whose secrets are references still; None for one that asks nobody anything.

    Of an api_call {"method", "url", "headers", "body"}; of a task {"handler", "body"}; of a script {"body"}.
    `key`: the idempotency key, which is sent as a header.
    """
    match action.get("type"):
        case "api_call":
            return {
                "method": str(action.get("method", "GET")), "url": _url(action), "headers": dict(_headers(action, key)),
                "body": _body(action),
            }  # fmt: skip
        case "task":
            payload = {name: value for name, value in action.items() if name not in NOT_PAYLOAD}
            return {"handler": str(action.get("handler") or ""), "body": excerpt(payload, MOST_OF_BODY)}
        case "script":
            return {"body": excerpt(str(action.get("script") or ""), MOST_OF_BODY)}
    return None


def _url(action: Mapping[str, JsonValue]) -> str:
    url, query = str(action["url"]), action.get("query")
    if isinstance(query, Mapping) and query:
        added = urlencode([*_pairs(query)], safe="{}:", errors="replace")
        url = f"{url}{'&' if '?' in url else '?'}{added}"
    return excerpt(url_shown(url), LONGEST_URL)


def _pairs(query: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        for one in value if isinstance(value, list) else [value]:
            yield name, str(one)


def _headers(action: Mapping[str, JsonValue], key: str) -> Iterator[tuple[str, str]]:
    given = action.get("headers")
    headers = dict(given) if isinstance(given, Mapping) else {}
    auth = action.get("auth")
    if isinstance(auth, Mapping):
        scheme, credential = next(((name, one) for name, one in auth.items() if one is not None), ("", ""))
        told = credential[-1] if isinstance(credential, list) and credential else credential
        headers["Authorization"] = f"{str(scheme).capitalize()} {told}"
    if key and not any(name.lower() == "idempotency-key" for name in headers):
        headers["Idempotency-Key"] = key
    for name, value in list(headers.items())[:MOST_HEADERS]:
        yield name[:LONGEST_HEADER], excerpt(value_shown(name, str(value)), LONGEST_HEADER)


def _body(action: Mapping[str, JsonValue]) -> str:
    name = next((name for name in BODIES if action.get(name) is not None), "")
    if name == "multipart":
        parts = action["multipart"]
        named = [one for one in parts if isinstance(one, Mapping)] if isinstance(parts, list) else []
        return excerpt([{k: v for k, v in one.items() if k != "base64"} for one in named], MOST_OF_BODY)
    value = action.get(name) if name else None
    if name == "body" and isinstance(value, Mapping):
        value = value.get("text") if value.get("text") is not None else f"bytes of {value.get('type') or 'no type'}"
    return "" if value is None else excerpt(value, MOST_OF_BODY)
