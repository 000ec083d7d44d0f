"""What one rendering may fill in: the bytes of its values, counted as they are inserted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from orchestration.core.templates.lookup import BadValue, Scope, TemplateError
from orchestration.core.templates.names import MARK


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


def weigh(value: JsonValue, name: str) -> int:
    """Bytes of a value as JSON in UTF-8, escapes not counted: never more than it was kept by.

    No recursion: data may be nested deeply. Raises BadValue for a secret reference; `name`: what was looked up.
    """
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
