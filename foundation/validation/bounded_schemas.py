"""JSON Schema at a bounded cost and depth: each keyword looked at counts, and patterns are searched in linear time.

The library's own validators follow references as often as a schema says (ten levels of two are a thousand), compare all
items with all, and search with Python's `re`, whose time may double with every letter. docs/adr/0011 says why a faster
library has not taken their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]

from foundation.validation.evaluated_items import evaluated_items
from foundation.validation.evaluated_names import evaluated_names
from foundation.validation.patterns import is_found
from foundation.validation.work_limit import one_level_down, size_of, spend

Keyword = Callable[[Any, Any, Any, Any], Iterable[Any] | None]


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not is_found(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inside in patterns.items():
        for name, value in instance.items():
            if is_found(pattern, name):
                yield from validator.descend(value, inside, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """As the library's, to which only the names are left that no pattern knows."""
    patterns = schema.get("patternProperties")
    if isinstance(instance, dict) and patterns:
        left = {name: value for name, value in instance.items() if not any(is_found(one, name) for one in patterns)}
        schema = {key: value for key, value in schema.items() if key != "patternProperties"}
        instance = left
    yield from LIBRARY["additionalProperties"](validator, allowed, instance, schema) or ()


def _unevaluated_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """As the library's, to which only the names are left that nothing in the schema has evaluated."""
    if isinstance(instance, dict):
        seen = evaluated_names(validator, instance, {**schema, "unevaluatedProperties": None})
        left = {name: value for name, value in instance.items() if name not in seen}
        with one_level_down():
            yield from (
                LIBRARY["unevaluatedProperties"](validator, allowed, left, {"unevaluatedProperties": allowed}) or ()
            )


def _unevaluated_items(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """With the library's words."""
    if isinstance(instance, list):
        seen = evaluated_items(validator, instance, schema)
        left = [item for at, item in enumerate(instance) if at not in seen]
        if left:
            verb = "was" if len(left) == 1 else "were"
            named = ", ".join(repr(item) for item in left)
            yield ValidationError(f"Unevaluated items are not allowed ({named} {verb} unexpected)")


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
        with one_level_down():
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
    "unevaluatedItems": _unevaluated_items,
    "uniqueItems": _unique_items,
    "enum": _compared(LIBRARY["enum"]),
    "const": _compared(LIBRARY["const"]),
}
BoundedValidator: Any = extend(Draft202012Validator, {name: _counted(one) for name, one in OURS.items()})
