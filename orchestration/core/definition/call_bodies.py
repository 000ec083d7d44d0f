"""What is wrong with the body of an api_call, and with a Content-Type that contradicts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestration.core.definition.actions import Content
from orchestration.core.media import MEDIA_TYPE, bytes_of

BODIES = ("payload", "form", "multipart", "body")
FORM, JSON, PARTS = "application/x-www-form-urlencoded", "application/json", "multipart/form-data"


def media_type(action: Mapping[str, Any]) -> str:
    """The Content-Type that an action's headers give, lower-cased and without parameters; '' for none."""
    return header_of(action, "content-type").partition(";")[0].strip().lower()


Fault = tuple[str, object, str, str]
"""Field below the action, its value, what is wrong, the remedy."""


def body_faults(action: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with what an api_call sends; it may be wrong in any other way."""
    yield from _bodies(action)
    yield from _content(action)
    yield from _parts(action)


def _bodies(action: Mapping[str, Any]) -> Iterator[Fault]:
    given = [key for key in BODIES if action.get(key) is not None]
    if len(given) > 1:
        yield (
            given[1],
            action[given[1]],
            f"is given beside {given[0]}",
            "give one: payload, form, multipart or body",
        )


def _content(action: Mapping[str, Any]) -> Iterator[Fault]:
    """A Content-Type that contradicts the body."""
    kind, body = media_type(action), action.get("body")
    if isinstance(body, Mapping):
        yield from _written(body)
        if kind and body.get("type") is not None:
            yield "body.type", body["type"], "is given beside the header Content-Type", "give the type once"
    if not kind or "{" in kind:
        return
    place, value = "headers.Content-Type", header_of(action, "content-type")
    if action.get("multipart") is not None:
        yield place, value, "is given beside multipart, which sets it with its boundary", "remove the header"
    elif action.get("form") is not None and kind != FORM:
        yield place, value, f"contradicts form, which is sent as {FORM}", "remove the header, or use payload or body"
    elif isinstance(action.get("payload"), dict | list):
        yield from _typed_payload(place, value, kind, action["payload"])


def _typed_payload(place: str, value: str, kind: str, payload: Any) -> Iterator[Fault]:
    if kind.startswith("multipart/"):
        yield place, value, "contradicts payload, which is sent as JSON", "use multipart, and remove the header"
    elif kind == FORM and not isinstance(payload, dict):
        yield place, value, "contradicts payload, a list", "use form with a mapping"
    elif kind == FORM:
        for name, item in payload.items():
            listed = item if isinstance(item, list) else [item]
            if any(isinstance(one, dict | list) for one in listed):
                message = "is a mapping or a list of lists, which a form cannot hold"
                yield f"payload.{name[:100]}", item, message, "use JSON, or name its values one by one"
    elif is_no_json(kind):
        yield place, value, "contradicts payload, which is sent as JSON", "write the whole text as body"


def is_no_json(kind: str) -> bool:
    """Whether a media type is certainly not that of a JSON text."""
    no_json = ("application/octet-stream", "application/pdf", "application/zip", "text/html", "text/csv")
    return kind in no_json or kind.endswith("xml") or kind.partition("/")[0] in ("image", "audio", "video", "font")


def _written(body: Mapping[str, Any]) -> Iterator[Fault]:
    if set(body) <= set(Content.model_fields) and (body.get("text") is None) == (body.get("base64") is None):
        yield (
            "body",
            None,
            "needs either text or base64",
            "such as {base64: '{x.body.base64}', type: image/png}",
        )
    yield from _base64("body.base64", body.get("base64"))
    yield from _type("body.type", body.get("type"))


def _parts(action: Mapping[str, Any]) -> Iterator[Fault]:
    parts = action.get("multipart")
    for index, part in enumerate(parts if isinstance(parts, list) else []):
        if not isinstance(part, Mapping):
            continue
        if (part.get("value") is None) == (part.get("base64") is None):
            yield f"multipart[{index}]", None, "needs either value or base64", "give one of the two"
        yield from _base64(f"multipart[{index}].base64", part.get("base64"))
        yield from _type(f"multipart[{index}].content_type", part.get("content_type"))


def _base64(place: str, text: object) -> Iterator[Fault]:
    if isinstance(text, str) and "{" not in text and bytes_of(text) is None:
        yield place, text, "is not base64", "write the bytes in base64, or text under the other key"


def _type(place: str, text: object) -> Iterator[Fault]:
    if isinstance(text, str) and "{" not in text and not MEDIA_TYPE.fullmatch(text):
        yield place, text, "is not a media type", "such as application/pdf"


def header_of(action: Mapping[str, Any], name: str) -> str:
    """The value of a header, its name in lower case; '' for none."""
    headers = action.get("headers")
    found = headers.items() if isinstance(headers, Mapping) else ()
    return next((str(value) for key, value in found if isinstance(key, str) and key.lower() == name), "")
