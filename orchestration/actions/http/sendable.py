"""What an action gives, as texts that can be sent; NotBuilt says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from orchestration.core.templates import text_of


class NotBuilt(ValueError):
    """Why there is no request to send."""


def given_headers(action: Mapping[str, JsonValue]) -> dict[str, str]:
    given = action.get("headers")
    return {str(name): text_of(value) for name, value in given.items()} if isinstance(given, dict) else {}


def pairs_of(key: str, given: object) -> Iterator[tuple[str, str]]:
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
            yield str(name), encodable(f"{key} '{name}'", text_of(one))


def word(place: str, value: JsonValue) -> str:
    if value is None or isinstance(value, dict | list):
        raise NotBuilt(f"{place} would be {'null' if value is None else 'a list or mapping'}, not a text")
    return encodable(place, text_of(value))


def encodable(place: str, text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise NotBuilt(f"{place} holds half a surrogate pair")
    return text
