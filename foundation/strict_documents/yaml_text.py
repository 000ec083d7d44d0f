"""The YAML half: its 1.2 core schema, built from the parser's events."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from foundation.strict_documents.scalars import marked, resolved
from foundation.strict_documents.unreadable import Unreadable

Path = tuple[str | int, ...]
Place = Callable[[object, Path], str]
"""The words for a place in a document, such as "step 'pay', forward_action.seconds"."""
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KINDS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")}


def read(text: str, *, most_levels: int, place: Place) -> object:
    """The value of a YAML text.

    Raises:
        Unreadable: it is none, or holds what is refused.
    """
    builder = _Builder(most_levels, place)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
        builder.refuse_no_number()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise Unreadable(
            problem, "look at the indentation, and quote a text that begins with { or holds ': '", *at
        ) from None
    except yaml.YAMLError as error:
        raise Unreadable(str(error).splitlines()[0], "write it as UTF-8 text without control characters") from None
    return builder.root


@dataclass
class _Open:
    """A mapping or list being read; `key` is the key whose value comes next."""

    value: dict[str, Any] | list[Any]
    key: str | None = None


@dataclass
class _Builder:
    """Builds the value from the parser's events: no constructors, no recursion."""

    most_levels: int
    place: Place
    root: object = None
    documents: int = 0
    no_number: tuple[Any, str, tuple[str | int, ...]] | None = None
    open: list[_Open] = field(default_factory=list)

    def take(self, event: Any) -> None:
        match event:
            case yaml.AliasEvent():
                raise marked(event, f"aliases (*{event.anchor}) are not allowed", "write the value out")
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise marked(event, "a second document begins", "keep one definition in a file")
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.open.pop()

    def _begin(self, event: Any) -> None:
        _plain_node(event)
        if len(self.open) >= self.most_levels:
            raise marked(event, f"is nested more than {self.most_levels} levels deep", "flatten it")
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        if self._awaits_key():
            raise marked(event, "a key cannot be a mapping or a list", "quote it, if it was meant as text")
        self._put(value)
        self.open.append(_Open(value))

    def _scalar(self, event: Any) -> None:
        _plain_node(event)
        if not self._awaits_key():
            value = resolved(event)
            if self.no_number is None and isinstance(value, float) and not math.isfinite(value):
                self.no_number = event, event.value, self._path()
            self._put(value)
            return
        inside = self.open[-1]
        if event.value in inside.value:
            raise marked(event, f"the key '{event.value[:80]}' is given twice", "keep one of the two")
        inside.key = event.value

    def refuse_no_number(self) -> None:
        """Once all is read, so that what it stands in can be named by its id wherever that stands."""
        if self.no_number is None:
            return
        event, text, path = self.no_number
        where = self.place(self.root, path)
        problem = f"{where}: {text}" if where else text
        raise marked(event, f"{problem} is not a number that JSON knows", "give a number, or quote the text")

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
        raise marked(event, f"anchors (&{event.anchor}) are not allowed", "write the value out where it is used")
    if event.tag and event.tag not in KINDS and event.tag != "!":
        raise marked(event, f"the tag {event.tag[:80]} is not allowed", "remove it")
