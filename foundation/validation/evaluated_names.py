"""Which names of an object a schema has evaluated, as `unevaluatedProperties` asks (JSON Schema 2020-12, core 11.3).

The library's own answer searches `patternProperties` with Python's `re`, and counts no work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from foundation.validation.patterns import is_found
from foundation.validation.work_limit import one_level_down, spend

FOR_ALL_OTHERS = ("additionalProperties", "unevaluatedProperties")
REFERENCES = ("$ref", "$dynamicRef")
IN_PLACE = ("allOf", "anyOf", "oneOf")


def evaluated_names(validator: Any, instance: Mapping[str, Any], schema: Any) -> set[str]:
    """The names in `instance` that `schema`, or what it leads to in place, has a rule for that holds.

    `validator`: one of jsonschema's, whose resolver is at `schema`. Raises: TooCostly, TooDeep.
    """
    if not isinstance(schema, Mapping):
        return set()
    spend(1 + len(instance) // 5)
    found = {name for name in schema.get("properties", {}) if name in instance}
    for pattern in schema.get("patternProperties", {}):
        found |= {name for name in instance if is_found(pattern, name)}
    for keyword in FOR_ALL_OTHERS:
        if schema.get(keyword) is not None:
            found |= {name for name in instance if holds(validator, instance[name], schema[keyword])}
    for at_it, part in in_place(validator, instance, schema):
        with one_level_down():
            found |= evaluated_names(at_it, instance, part)
    return found


def holds(validator: Any, instance: Any, schema: Any) -> bool:
    """Whether the instance matches this subschema of the validator's."""
    with one_level_down():
        return next(iter(validator.descend(instance, schema)), None) is None


def in_place(validator: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The subschemas in place that say something about this instance, each with a validator that stands there."""
    for keyword in REFERENCES:
        if keyword in schema:
            there = validator._resolver.lookup(schema[keyword])  # noqa: SLF001 - jsonschema has no public way to follow one
            yield validator.evolve(schema=there.contents, _resolver=there.resolver), there.contents
    yield from ((validator, part) for part in _that_hold(validator, instance, schema))


def _that_hold(validator: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    for name, part in schema.get("dependentSchemas", {}).items() if isinstance(instance, dict) else ():
        if name in instance:
            yield part
    for keyword in IN_PLACE:
        for part in schema.get(keyword, []):
            if holds(validator, instance, part):
                yield part
    if "if" in schema:
        is_so = holds(validator, instance, schema["if"])
        if is_so:
            yield schema["if"]
        chosen = "then" if is_so else "else"
        if chosen in schema:
            yield schema[chosen]
