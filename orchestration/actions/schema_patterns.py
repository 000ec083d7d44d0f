"""Patterns of an `output_schema` that are refused when a definition comes in anew.

No fault of one that is stored: it is started, and its runs go on, as before patterns were looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from foundation.validation.patterns import is_linear, size_of_pattern
from foundation.validation.subschemas import Path, subschemas
from foundation.validation.work_limit import TooCostly
from orchestration.core.definition import Problem
from orchestration.core.definition.problems import short
from orchestration.core.definition.shape import dotted, step_label

LONGEST, LARGEST, MOST = 2000, 150_000, 500
"""Characters of a pattern, those with all repetitions written out (`\\w` counts as 1,200), and patterns of a saga."""
NOT_LINEAR = "no engine searches it in linear time: it has look-around, a back-reference or the like"
PARTED = "write it without, for instance as several patterns in allOf, or under not"
TOO_LARGE = "is too large: with all its repetitions written out it takes too much memory"
SHORTER = "repeat less of it, or give lengths with minLength and maxLength"
TOO_MANY = f"is one pattern too many: a saga may have {MOST}, its children in place included"
TOO_COSTLY = "has patterns that take too long to be looked at, alone or together with those of other steps"


def pattern_problems(definition: object) -> list[Problem]:
    """Each pattern in the schemas of a sound definition and its children in place that is not linear or too large.

    Within `work_limit.at_most` it stops with a problem where the looks are used up.
    """
    found: list[Problem] = []
    for number, (label, path, pattern) in enumerate(_all_patterns(definition), 1):
        told = (TOO_MANY, "") if number > MOST else _fault(pattern)
        if told is not None:
            message, remedy = told
            found.append(Problem(step=label, field=dotted(path), value=short(pattern), message=message, remedy=remedy))
        if told is not None and message in (TOO_MANY, TOO_COSTLY):
            break
    return found


def _fault(pattern: str) -> tuple[str, str] | None:
    """What is wrong with it, and what to do."""
    try:
        if len(pattern) > LONGEST or size_of_pattern(pattern) > LARGEST:
            return TOO_LARGE, SHORTER
        return None if is_linear(pattern) else (NOT_LINEAR, PARTED)
    except TooCostly:
        return TOO_COSTLY, SHORTER


def _all_patterns(definition: Any) -> Iterator[tuple[str, Path, str]]:
    """Each with its step and place. One that two references lead to is told once."""
    steps = definition.get("steps") if isinstance(definition, Mapping) else None
    for index, step in enumerate(steps or ()):
        label = step_label(definition, index)
        told: set[str] = set()
        for path, pattern in _patterns(step.get("output_schema")):
            if pattern not in told:
                told.add(pattern)
                yield label, path, pattern
        for below, path, pattern in _all_patterns(step["forward_action"].get("definition")):
            yield f"{label}/{below}", path, pattern


def _patterns(schema: object) -> Iterator[tuple[Path, str]]:
    if not isinstance(schema, Mapping):
        return
    for place in subschemas(schema, ("output_schema",)):
        if not isinstance(place.schema, Mapping) or place.lost is not None:
            continue
        if isinstance(pattern := place.schema.get("pattern"), str):
            yield (*place.path, "pattern"), pattern
        if isinstance(named := place.schema.get("patternProperties"), Mapping):
            yield from (((*place.path, "patternProperties", pattern), pattern) for pattern in named)
