"""JSON Schema at a bounded cost: each keyword that is looked at counts, and patterns are searched in linear time.

The library's own validators follow references as often as a schema says (ten levels of two are a thousand), compare all
items with all, and search with Python's `re`, whose time may double with every letter.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]
from pydantic_core import SchemaError, SchemaValidator, core_schema

LONGEST_FOR_RE = 20
"""Characters of a text that is searched by `re` where the cost is bounded: for patterns that no linear search knows."""
NEW_PATTERN = 200
"""What a pattern costs that was not seen before, in looks."""

Keyword = Callable[[Any, Any, Any, Any], Iterable[Any] | None]


class TooCostly(Exception):
    """The looks that were allowed are used up."""


_allowed = threading.local()


@contextmanager
def at_most(looks: int, *, short_for_re: bool = False) -> Iterator[None]:
    """All validations inside may together look at so many keywords (about 20 µs each). Within another one it changes
    nothing. `short_for_re`: search no long text with `re`. Raises TooCostly."""
    if getattr(_allowed, "left", None) is not None:
        yield
        return
    _allowed.left, _allowed.short_for_re = looks, short_for_re
    try:
        yield
    finally:
        _allowed.left, _allowed.short_for_re = None, False


def spend(looks: int) -> None:
    """Raises TooCostly. Nothing is counted outside of `at_most`."""
    left = getattr(_allowed, "left", None)
    if left is None:
        return
    _allowed.left = left - looks
    if left < looks:
        raise TooCostly


def values_of(value: object) -> Iterator[object]:
    """All values that a JSON value is made of, itself among them, however deep."""
    todo = [value]
    while todo:
        yield (item := todo.pop())
        if isinstance(item, Mapping):
            todo += item.values()
        elif isinstance(item, list | tuple):
            todo += item


def size_of(value: object) -> int:
    """How many they are."""
    return sum(1 for _ in values_of(value))


# --- patterns --------------------------------------------------------------------------------------------------------

OF_ITS_OWN = re.compile(r"&&|~~|--|\\[<>]|[+*?}]\+|\\b\{")
"""What the linear search reads in another way than `re`."""


def _is_found(pattern: str, text: str) -> bool:
    """Whether the pattern is in the text. What has look-around or back-references is searched with `re`."""
    spend(len(text) // 100)
    linear = _linear(pattern)
    if linear is not None and not any("\ud800" <= char <= "\udfff" for char in text):
        before_its_end = text.removesuffix("\n")  # where `$` of `re` matches, too
        return linear.isinstance_python(text) or (before_its_end != text and linear.isinstance_python(before_its_end))
    _refuse_long_texts([text])
    return re.search(pattern, text) is not None


def _refuse_long_texts(texts: Iterable[str]) -> None:
    if getattr(_allowed, "short_for_re", False) and any(len(text) > LONGEST_FOR_RE for text in texts):
        raise TooCostly


@lru_cache(maxsize=512)
def _linear(pattern: str) -> SchemaValidator | None:
    """None: the linear search does not know it, or reads it in another way."""
    spend(NEW_PATTERN)
    try:
        schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
        return None if OF_ITS_OWN.search(pattern) else SchemaValidator(schema)
    except SchemaError:
        return None


# --- keywords --------------------------------------------------------------------------------------------------------


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not _is_found(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inside in patterns.items():
        for name, value in instance.items():
            if _is_found(pattern, name):
                yield from validator.descend(value, inside, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """As the library's, to which only the names are left that no pattern knows."""
    patterns = schema.get("patternProperties")
    if isinstance(instance, dict) and patterns:
        left = {name: value for name, value in instance.items() if not any(_is_found(one, name) for one in patterns)}
        schema = {key: value for key, value in schema.items() if key != "patternProperties"}
        instance = left
    yield from LIBRARY["additionalProperties"](validator, allowed, instance, schema) or ()


def _unevaluated_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, dict):
        _refuse_long_texts(instance)
    yield from LIBRARY["unevaluatedProperties"](validator, allowed, instance, schema) or ()


def _unique_items(validator: Any, is_asked: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if is_asked is True and isinstance(instance, list):
        spend(size_of(instance) // 10)
        if len({_hashable(item) for item in instance}) < len(instance):
            yield ValidationError(f"{instance!r} has non-unique elements")


def _hashable(value: Any) -> Any:
    """Equal for values that are equal in JSON: 1 is 1.0, and is not true."""
    if isinstance(value, dict):
        return dict, frozenset((key, _hashable(item)) for key, item in value.items())
    if isinstance(value, list):
        return list, tuple(_hashable(item) for item in value)
    return (bool, value) if isinstance(value, bool) else value


def _counted(keyword: Keyword) -> Keyword:
    """The keyword, each look at which counts: by what it holds itself, and by the words of its errors."""

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        ways = len(value) if isinstance(value, list) else 1
        spend(1 + ways + (len(instance) // 5 if isinstance(instance, list | dict) else 0))
        for error in keyword(validator, value, instance, schema) or ():
            spend(len(error.message) // 500)
            yield error

    return counted


def _compared(keyword: Keyword) -> Keyword:
    """`enum` and `const`, which compare the whole instance."""

    def compared(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[Any] | None:
        spend((len(value) if isinstance(value, list) else 1) * size_of(instance) // 7)
        return keyword(validator, value, instance, schema)

    return compared


LIBRARY: Mapping[str, Keyword] = Draft202012Validator.VALIDATORS
OURS: Mapping[str, Keyword] = {
    **LIBRARY,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "unevaluatedProperties": _unevaluated_properties,
    "uniqueItems": _unique_items,
    "enum": _compared(LIBRARY["enum"]),
    "const": _compared(LIBRARY["const"]),
}
BoundedValidator: Any = extend(Draft202012Validator, {name: _counted(one) for name, one in OURS.items()})
