"""A template in pieces: text, names to look up, secret references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from orchestration.core.templates.budget import Budget, weigh
from orchestration.core.templates.lookup import BadValue, Scope, TemplateError, look_up, short
from orchestration.core.templates.names import MARK, name_of, parts_of

TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
SECRET = re.compile(r"\{secret:([A-Z][A-Z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a template: `text` as it stands, or a `name` to look up. `secret`: the text is a reference."""

    text: str = ""
    name: str = ""
    secret: bool = False
    fault: str = field(default="", compare=False)


def tokens_of(text: str) -> list[Token]:
    """A template in pieces, in order. Pieces that are not well formed say why in `fault`."""
    tokens, end = [], 0
    for match in TOKEN.finditer(text):
        if match.start() > end:
            tokens.append(Token(text[end : match.start()]))
        tokens.append(_token(match, text))
        end = match.end()
    if end < len(text):
        tokens.append(Token(text[end:]))
    return tokens


def texts_in(value: object) -> Iterator[str]:
    """Every text in a JSON value, the keys of mappings among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def keys_in(value: object) -> Iterator[str]:
    """Every key of the mappings in a JSON value."""
    if isinstance(value, Mapping):
        yield from value
        for item in value.values():
            yield from keys_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from keys_in(item)


def insert(token: Token, scope: Scope, budget: Budget) -> JsonValue:
    """The value of a placeholder, counted. Data that holds a secret reference is refused: it could steal one."""
    value = look_up(token.name, scope)
    budget.take(weigh(value, token.name))
    return value


def _token(match: re.Match[str], text: str) -> Token:
    written, inner = match.group(0), match.group(1)
    if written in ("{{", "}}"):
        return Token(written[0])
    if inner is None:
        fault = f"a lone '{written}' in {short(text)}; write '{written * 2}' for a literal brace"
        return Token(written, fault=fault)
    if SECRET.fullmatch(written):
        return Token(written, secret=True)
    if inner.startswith("secret:"):
        fault = f"'{written[:80]}' is no secret reference; write {{secret:NAME}} with A-Z, 0-9 and _, a letter first"
        return Token(written, fault=fault)
    try:
        return Token(name=name_of(parts_of(inner)))
    except ValueError:
        rule = (
            "a placeholder is a dotted plain name such as {user_id} or {step.user_id}, no part beginning with __; any "
            'other key stands in brackets, {step["first name"]}, and a place in a list after a dot, {lines.0.sku}'
        )
    return Token(written, fault=f"{short(written)}: {rule}; for literal braces write {{{{ and }}}}")


def sound(tokens: Sequence[Token]) -> Sequence[Token]:
    fault = next((token.fault for token in tokens if token.fault), "")
    if fault:
        raise TemplateError(fault)
    return tokens


def refuse_new_secrets(filled: str, tokens: Sequence[Token]) -> None:
    """The only secret references in a filled text are those that its author wrote."""
    if filled.count(MARK) != sum(token.secret for token in tokens):
        raise BadValue("a value would make a secret reference; {secret:NAME} works only where it is written out")


def text_of(value: JsonValue) -> str:
    """A string as it is, everything else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
