"""Which items of a list a schema has evaluated, as `unevaluatedItems` asks (JSON Schema 2020-12, core 11.2).

The library's own answer counts neither work nor levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from foundation.validation.evaluated_names import holds, in_place
from foundation.validation.work_limit import one_level_down, spend

FOR_EACH = ("contains", "unevaluatedItems")


def evaluated_items(validator: Any, instance: Sequence[Any], schema: Any) -> set[int]:
    """The places in `instance` that `schema`, or what it leads to in place, has a rule for that holds.

    `validator`: one of jsonschema's, whose resolver is at `schema`. Raises: TooCostly, TooDeep.
    """
    if isinstance(schema, bool):
        return set()
    spend(1 + len(instance) // 5)
    if "items" in schema:
        return set(range(len(instance)))
    found = set(range(len(schema.get("prefixItems", ()))))
    for keyword in FOR_EACH:
        if keyword in schema:
            found |= {at for at, item in enumerate(instance) if holds(validator, item, schema[keyword])}
    for at_it, part in in_place(validator, instance, schema):
        with one_level_down():
            found |= evaluated_items(at_it, instance, part)
    return found
