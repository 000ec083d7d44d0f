"""A template in pieces: text, names to look up, secret references; and what a rendering may cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from orchestration.core.templates.lookup import BadValue, Scope, TemplateError, look_up, short
from orchestration.core.templates.names import name_of, parts_of

TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
SECRET = re.compile(r"\{secret:([A-Z][A-Z0-9_]*)\}")
MARK = "{secret:"


class TooLarge(TemplateError):
    """The values that were to be filled in are together larger than a value may be."""


@dataclass(slots=True)
class Budget:
    """Bytes of values that one rendering may still fill in; data that repeats itself cannot eat the memory.

    What the author wrote is not counted, so that any value that is kept can be used: a definition has its own limit.
    """

    most: int
    taken: int = 0

    @classmethod
    def of(cls, scope: Scope) -> Budget:
        return cls(scope.most)

    def take(self, size: int) -> None:
        self.taken += size
        if self.taken > self.most:
            raise TooLarge(
                f"the values that its templates fill in are together more than {self.most} bytes (ZEN_MAX_OUTPUT_BYTES)"
            )


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
    budget.take(_weigh(value, token.name))
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


def _weigh(value: JsonValue, name: str) -> int:
    """Bytes of a value as JSON in UTF-8, escapes not counted: never more than it was kept by. No recursion: data may be
    nested deeply."""
    weight, todo = 0, [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            weight += 2 + (len(item) if item.isascii() else len(item.encode(errors="surrogatepass")))
            if MARK in item:
                raise BadValue(f"the value of {{{name}}} holds a secret reference; {{secret:NAME}} is not for data")
        elif isinstance(item, Mapping):
            weight += 2 * max(1, len(item))
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            weight += 1 + len(item)
            todo += item
        else:
            weight += 1
    return weight
