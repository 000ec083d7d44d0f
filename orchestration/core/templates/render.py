"""Filling in texts, actions and URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from orchestration.core.media import is_binary
from orchestration.core.templates.budget import Budget
from orchestration.core.templates.lookup import BadValue, Scope, look_up, short
from orchestration.core.templates.names import MARK
from orchestration.core.templates.tokens import (
    SECRET,
    insert,
    keys_in,
    refuse_new_secrets,
    sound,
    text_of,
    texts_in,
    tokens_of,
)
from orchestration.core.templates.urls import faults_of_url, fill_url

NO_TEMPLATES = {
    "script": ("script",), "saga": ("definition",), "api_call": ("until", "retry_on", "fail_on"), "agent": ("checks",),
}  # fmt: skip
ONE_LINE = ("headers", "auth", "query")
"""Parts of a call whose values go out as bare words."""
HEADER_BREAKS = re.compile(r"[\r\n\x00]")


def placeholders(value: object) -> frozenset[str]:
    """Every name that a JSON value looks up. Secrets and literal braces are none."""
    return frozenset(token.name for text in texts_in(value) for token in tokens_of(text) if token.name)


def problems_in(value: object) -> list[str]:
    """What is wrong with the templates in a JSON value, each with the remedy; empty when nothing is."""
    found = [
        f"the key {short(key)} holds a secret reference; a secret can stand in a value alone"
        for key in keys_in(value)
        if SECRET.search(key)
    ]
    for text in texts_in(value):
        tokens = tokens_of(text)
        found += [token.fault for token in tokens if token.fault]
        written = "".join(token.text for token in tokens if not token.fault)
        if written.count(MARK) != sum(token.secret for token in tokens):
            found.append(
                f"literal braces would make a secret reference of {short(text)}; write {{secret:NAME}} plainly"
            )
    return found


def action_placeholders(action: Mapping[str, JsonValue]) -> frozenset[str]:
    """The names that an action looks up, script text and inline definitions left out."""
    return placeholders(template_parts(action))


def template_parts(action: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an action that are templates: all but `type`, a script's text, a child's definition, conditions.

    A child's definition is one where it is a text with a placeholder: then a step before it gives the definition.
    """
    kind = str(action.get("type"))
    fixed = {"type", *NO_TEMPLATES.get(kind, ())}
    found = {key: value for key, value in action.items() if key not in fixed}
    child = action.get("definition")
    return found | ({"definition": child} if kind == "saga" and isinstance(child, str) and "{" in child else {})


def render(value: JsonValue, scope: Scope) -> JsonValue:
    """Fill in every placeholder of a JSON value. Raises TemplateError (MissingOutput is one: skip the step)."""
    return _render(value, scope, Budget.of(scope))


def render_text(text: str, scope: Scope) -> str:
    """Fill in a template that must come out as text, such as an idempotency key."""
    return text_of(_render(text, scope, Budget.of(scope)))


def render_url(url: str, scope: Scope) -> str:
    """Fill in a URL (rule 3): values are percent-encoded and never leave the place they stand in.

    At the very start a value may be a whole http(s) base URL, in the authority a plain host[:port].
    """
    return fill_url(tokens_of(url), scope, Budget.of(scope))


def render_action(action: Mapping[str, JsonValue], scope: Scope) -> dict[str, JsonValue]:
    """An action filled in, with at most `scope.most` bytes of values.

    `type`, a script's text and a child's definition that is written in place stay as they are.

    `url` goes by render_url. Header and environment values come out as text; a header holds no line break.
    """
    budget = Budget.of(scope)
    rendered = dict(action)
    for key, value in template_parts(action).items():
        rendered[key] = _render_part(str(action.get("type")), key, value, scope, budget)
    if action.get("type") == "api_call" and isinstance(action.get("payload"), str) and is_binary(rendered["payload"]):
        rendered["body"] = rendered.pop("payload")  # the bytes of an answer go out as they came
    return rendered


def _render(value: JsonValue, scope: Scope, budget: Budget) -> JsonValue:
    if isinstance(value, str):
        return _fill(value, scope, budget)
    if isinstance(value, Mapping):
        return _render_mapping(value, scope, budget)
    if isinstance(value, list | tuple):
        return [_render(item, scope, budget) for item in value]
    return value


def _render_mapping(value: Mapping[str, JsonValue], scope: Scope, budget: Budget) -> dict[str, JsonValue]:
    filled: dict[str, JsonValue] = {}
    for key, item in value.items():
        name = _key(key, scope, budget) if scope.fills_keys and ("{" in key or "}" in key) else key
        if name in filled:
            raise BadValue(f"the key {short(name)} would be given twice")
        filled[name] = _render(item, scope, budget)
    return filled


def _key(key: str, scope: Scope, budget: Budget) -> str:
    value = _fill(key, scope, budget)
    if value is None or isinstance(value, dict | list):
        what = "null" if value is None else "a list or mapping"
        raise BadValue(f"the key {short(key)} would be {what}, not a text")
    return text_of(value)


def _fill(text: str, scope: Scope, budget: Budget) -> JsonValue:
    tokens = sound(tokens_of(text))
    if len(tokens) == 1 and tokens[0].name:
        return insert(tokens[0], scope, budget)
    pieces = []
    for token in tokens:
        piece = text_of(insert(token, scope, budget)) if token.name else token.text
        pieces.append(piece)
    filled = "".join(pieces)
    refuse_new_secrets(filled, tokens)
    return filled


def _render_part(kind: str, key: str, value: JsonValue, scope: Scope, budget: Budget) -> JsonValue:
    if key == "url" and isinstance(value, str):
        return fill_url(tokens_of(value), scope, budget)
    rendered = _render(value, scope, budget)
    if kind == "api_call" and key in ONE_LINE:
        _refuse_nulls(key, value, scope)
    if kind == "api_call" and key == "headers" and isinstance(rendered, dict):
        return {name: _header(name, item) for name, item in rendered.items()}
    if kind == "script" and key == "env" and isinstance(rendered, dict):
        return {name: _variable(name, item) for name, item in rendered.items()}
    return rendered


def _refuse_nulls(key: str, value: JsonValue, scope: Scope) -> None:
    """Refuse null inside a longer text: it would become the word "null", as in `Bearer null`."""
    for text in texts_in(list(value.values()) if isinstance(value, Mapping) else value):
        tokens = tokens_of(text)
        for token in tokens if len(tokens) > 1 else ():
            if token.name and look_up(token.name, scope) is None:
                raise BadValue(f"{{{token.name}}} stands in {key} and is null, not a text or number")


def _header(name: str, value: JsonValue) -> str:
    if value is None or isinstance(value, dict | list):
        raise BadValue(f"header '{name}' would be {'null' if value is None else 'a list or mapping'}, not a text")
    text = text_of(value)
    if HEADER_BREAKS.search(text):
        raise BadValue(f"header '{name}' would hold a line break")
    return text


def _variable(name: str, value: JsonValue) -> str:
    text = text_of(value)
    if "\x00" in text:
        raise BadValue(f"environment variable '{name}' would hold a NUL")
    return text


def url_problems(url: str) -> list[str]:
    """What is wrong with a URL template before any value is known; empty when nothing is."""
    return faults_of_url(tokens_of(url))
