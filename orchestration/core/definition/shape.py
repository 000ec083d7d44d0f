"""Plain JSON, its bounds, its canonical text and its hash."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, JsonValue

from orchestration.core.definition.problems import DefinitionErrors, Problem, short

MOST_BYTES = 1024 * 1024
MOST_LEVELS = 50
MOST_NUMBER = 10**308
"""Programs that read JSON numbers as doubles, as most do, cannot read larger ones."""
SPLIT = "split it into child sagas (type: saga)"
Path = tuple[str | int, ...]


def plain_json(
    data: object, *, most_bytes: int = MOST_BYTES, most_levels: int = MOST_LEVELS, remedy: str = SPLIT
) -> JsonValue:
    """A copy of `data` made of plain JSON values only: tuples become lists, str and int enums their values.

    Raises DefinitionErrors for what JSON does not know (NaN, infinity, other objects, keys that are not text), for
    text that a database refuses (NUL, lone surrogates), nesting over `most_levels` or a size over `most_bytes`, which
    are those of its JSON in UTF-8. `remedy`: what to do about the size.
    """
    copier = _Copier(most_bytes, most_levels, remedy)
    copied = copier.copy(data, ())
    if not copier.problems and json_bytes(copied) > most_bytes:
        copier.problems.append(_too_large(most_bytes, remedy))
    if copier.problems:
        raise DefinitionErrors([*copier.problems])
    return copied


def json_bytes(value: object) -> int:
    """Bytes of a value as compact JSON in UTF-8: how the size of outputs, contexts and definitions is measured."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def canonical_json(value: object) -> str:
    """One text per JSON value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def definition_hash(definition: BaseModel) -> str:
    """SHA-256 of the canonical JSON. A default that is written out gives the same hash as one left out."""
    content = definition.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def locate(data: object, path: Path) -> tuple[str, str]:
    """The step and the dotted field that a path into a definition leads to."""
    if len(path) < 2 or path[0] != "steps" or not isinstance(path[1], int):
        return "", dotted(path)
    return step_label(data, path[1]), dotted(path[2:])


def step_label(data: object, index: int) -> str:
    steps = data.get("steps") if isinstance(data, Mapping) else None
    step = steps[index] if isinstance(steps, list | tuple) and index < len(steps) else None
    step_id = step.get("step_id") if isinstance(step, Mapping) else None
    return step_id[:100] if isinstance(step_id, str) and step_id else f"steps[{index}]"


def dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:100]}" if text else part[:100]
    return text


class _Copier:
    """Walks within bounds: shared or endless objects stop it as soon as the copy would be too large or too deep."""

    def __init__(self, most_bytes: int, most_levels: int, remedy: str) -> None:
        self.problems: list[Problem] = []
        self.size, self.most_bytes = 0, most_bytes
        self.most_levels, self.remedy = most_levels, remedy
        self.root: object = None

    def copy(self, value: object, path: Path) -> JsonValue:
        if not path:
            self.root = value
        self._count(value, path)
        match value:
            case None | bool():
                return value
            case str():
                return self._text(value, path)
            case int():
                if abs(value) > MOST_NUMBER:
                    self._add(path, "", "is too large a number", "give one below 1e308, or write it as text")
                    return 0
                return int(value)
            case float():
                if not math.isfinite(value):
                    self._add(path, value, "is not a number that JSON knows", "give a finite number")
                return float(value)
            case Mapping():
                return {self._key(key, path): self.copy(item, (*path, str(key))) for key, item in value.items()}
            case list() | tuple():
                return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
            case _:
                self._add(path, value, f"{type(value).__name__} is not a JSON value", "write it as text or a number")
                return None

    def _count(self, value: object, path: Path) -> None:
        self.size += 1 + (len(value) if isinstance(value, str) else 0)
        if self.size > self.most_bytes:
            raise DefinitionErrors([*self.problems, _too_large(self.most_bytes, self.remedy)])
        if len(path) > self.most_levels or (
            len(path) == self.most_levels and isinstance(value, Mapping | list | tuple)
        ):
            step, field = locate(self.root, path[:4])
            message = f"is nested more than {self.most_levels} levels deep"
            deep = Problem(step=step, field=field, value="", message=message, remedy="flatten it")
            raise DefinitionErrors([*self.problems, deep])

    def _key(self, key: Any, path: Path) -> str:
        if isinstance(key, str):
            self.size += len(key)
            return self._text(key, (*path, key))
        self._add(path, key, "has a key that is not text", "put the key in quotes")
        return str(key)

    def _text(self, value: str, path: Path) -> str:
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
            self._add(path, value, "holds a NUL or half a surrogate pair", "remove that character")
        return str.__str__(value)

    def _add(self, path: Path, value: object, message: str, remedy: str) -> None:
        step, field = locate(self.root, path)
        self.problems.append(Problem(step=step, field=field, value=short(value), message=message, remedy=remedy))


def _too_large(most_bytes: int, remedy: str) -> Problem:
    limit = f"{most_bytes // 1024**2} MiB" if most_bytes % 1024**2 == 0 else f"{most_bytes} bytes"
    message = f"is larger than {limit}"
    return Problem(step="", field="", value="", message=message, remedy=remedy)
