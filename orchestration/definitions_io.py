"""Definitions as text, YAML or JSON, read to plain JSON values and nothing else.

YAML is read as its 1.2 core schema: `true` and `false` are the only booleans (`no` and `on` are text), dates and times
stay text, `010` is ten. Aliases, anchors, tags of other types, keys given twice, nesting over 50 levels and texts over
1 MiB are refused, the last before anything is parsed.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from orchestration.core.definition import MOST_BYTES, MOST_LEVELS
from orchestration.core.definition.shape import locate
from orchestration.errors import BadInput

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KINDS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")}
STRING = "tag:yaml.org,2002:str"
NULL = re.compile(r"~|null|Null|NULL|")
BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"(\s*:)?)?|[{}\[\]]|NaN|-?Infinity', re.DOTALL)


def load_text(text: str, *, name: str = "definition") -> object:
    """The JSON value in a text. `name` is a file name or a word for it; `.json` says that it is JSON.

    Raises BadInput that names the line, the column and the remedy.
    """
    text = text.removeprefix("\ufeff")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadInput(f"{name} is not UTF-8 text", field="definition", remedy="save it as UTF-8") from None
    if size > MOST_BYTES:
        raise BadInput(f"{name} is larger than 1 MiB", field="definition", remedy="split it into child sagas")
    try:
        return _json(text) if _looks_like_json(text, name) else _yaml(text)
    except _Unreadable as fault:
        where = f"{name}, line {fault.line}, column {fault.column}" if fault.line else name
        raise BadInput(f"{where}: {fault.problem}", field="definition", remedy=fault.remedy) from None


@dataclass
class _Unreadable(Exception):
    """`line` and `column` count from 1; line 0 where there is none."""

    problem: str
    remedy: str = ""
    line: int = 0
    column: int = 0


def _looks_like_json(text: str, name: str) -> bool:
    if name.lower().endswith((".yaml", ".yml")):
        return False
    return name.lower().endswith(".json") or re.match(r"\s*(\{\s*[\"}]|\[\s*[\[{\"\]])", text) is not None


# --- JSON ------------------------------------------------------------------------------------------------------------


def _json(text: str) -> object:
    try:
        _look_over(text)
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _Unreadable(error.msg, "give plain JSON, or YAML", error.lineno, error.colno) from None
    except ValueError:
        raise _Unreadable("holds a number with too many digits", "quote it, if it was meant as text") from None


def _look_over(text: str) -> None:
    """Depth, keys given twice and NaN, which json.loads does not mind."""
    keys: list[set[str]] = []
    for match in JSON_TOKEN.finditer(text):
        mark = match.group(0)
        if mark in ("{", "["):
            keys.append(set())
            if len(keys) > MOST_LEVELS:
                raise _at(text, match.start(), f"is nested more than {MOST_LEVELS} levels deep", "flatten it")
        elif mark in ("}", "]"):
            del keys[-1:]
        elif not mark.startswith('"'):
            raise _at(text, match.start(), f"{mark} is not a number that JSON knows", "give a finite number")
        elif match.group(1) and keys:
            key = json.loads(mark[: -len(match.group(1))], strict=False)
            if key in keys[-1]:
                raise _at(text, match.start(), f"the key '{key[:80]}' is given twice", "keep one of the two")
            keys[-1].add(key)


def _at(text: str, offset: int, problem: str, remedy: str) -> _Unreadable:
    before = text[:offset]
    return _Unreadable(problem, remedy, before.count("\n") + 1, offset - before.rfind("\n"))


# --- YAML ------------------------------------------------------------------------------------------------------------


def _yaml(text: str) -> object:
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
        builder.refuse_no_number()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise _Unreadable(
            problem, "look at the indentation, and quote a text that begins with { or holds ': '", *place
        ) from None
    except yaml.YAMLError as error:
        raise _Unreadable(str(error).splitlines()[0], "write it as UTF-8 text without control characters") from None
    return builder.root


@dataclass
class _Open:
    """A mapping or list being read; `key` is the key whose value comes next."""

    value: dict[str, Any] | list[Any]
    key: str | None = None


@dataclass
class _Builder:
    """Builds the value from the parser's events: no constructors, no recursion."""

    root: object = None
    documents: int = 0
    no_number: tuple[Any, str, tuple[str | int, ...]] | None = None
    open: list[_Open] = field(default_factory=list)

    def take(self, event: Any) -> None:
        match event:
            case yaml.AliasEvent():
                raise _marked(event, f"aliases (*{event.anchor}) are not allowed", "write the value out")
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise _marked(event, "a second document begins", "keep one definition in a file")
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.open.pop()

    def _begin(self, event: Any) -> None:
        _plain_node(event)
        if len(self.open) >= MOST_LEVELS:
            raise _marked(event, f"is nested more than {MOST_LEVELS} levels deep", "flatten it")
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        if self._awaits_key():
            raise _marked(event, "a key cannot be a mapping or a list", "quote it, if it was meant as text")
        self._put(value)
        self.open.append(_Open(value))

    def _scalar(self, event: Any) -> None:
        _plain_node(event)
        if not self._awaits_key():
            value = _resolved(event)
            if self.no_number is None and isinstance(value, float) and not math.isfinite(value):
                self.no_number = event, event.value, self._path()
            self._put(value)
            return
        inside = self.open[-1]
        if event.value in inside.value:
            raise _marked(event, f"the key '{event.value[:80]}' is given twice", "keep one of the two")
        inside.key = event.value

    def refuse_no_number(self) -> None:
        """Once all is read, so that the step can be named by its id wherever that stands."""
        if self.no_number is None:
            return
        event, text, path = self.no_number
        step, field = locate(self.root, path)
        where = ", ".join(part for part in (step and f"step '{step}'", field) if part)
        problem = f"{where}: {text}" if where else text
        raise _marked(event, f"{problem} is not a number that JSON knows", "give a number, or quote the text")

    def _path(self) -> tuple[str | int, ...]:
        """Where the value that is read now will stand."""
        path: list[str | int] = []
        for inside in self.open:
            is_last = inside is self.open[-1]
            if isinstance(inside.value, list):
                path.append(len(inside.value) - (not is_last))
            else:  # what is being read further in stands under the latest key already
                path.append((inside.key or "") if is_last else next(reversed(inside.value)))
        return tuple(path)

    def _awaits_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None

    def _put(self, value: Any) -> None:
        if not self.open:
            self.root = value
            return
        inside = self.open[-1]
        if isinstance(inside.value, list):
            inside.value.append(value)
        elif inside.key is not None:
            inside.value[inside.key], inside.key = value, None


def _plain_node(event: Any) -> None:
    if event.anchor:
        raise _marked(event, f"anchors (&{event.anchor}) are not allowed", "write the value out where it is used")
    if event.tag and event.tag not in KINDS and event.tag != "!":
        raise _marked(event, f"the tag {event.tag[:80]} is not allowed", "remove it")


def _resolved(event: Any) -> object:
    """A scalar's value by the core schema; quoted or tagged !!str it is text."""
    text: str = event.value
    if event.tag in (STRING, "!") or (not event.implicit[0] and not event.tag):
        return text
    if NULL.fullmatch(text):
        return None
    if BOOLEAN.fullmatch(text):
        return text.lower() == "true"
    if NO_NUMBER.fullmatch(text):
        return float(text.replace(".", "").lower())
    try:
        return _number(text)
    except ValueError:
        raise _marked(event, "a number with too many digits", "quote it, if it was meant as text") from None


def _number(text: str) -> int | float | str:
    if INTEGER.fullmatch(text):
        found = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        str(found)  # read from hexadecimal it may have more digits than can be written again
        return found
    if NUMBER.fullmatch(text):
        return float(text)
    return text


def _marked(event: Any, problem: str, remedy: str) -> _Unreadable:
    return _Unreadable(problem, remedy, event.start_mark.line + 1, event.start_mark.column + 1)
