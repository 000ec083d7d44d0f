"""What is refused of a valid definition as things stand: circles, slow patterns, gates, gaps, children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.core.definition import SagaDefinition, warnings_of
from orchestration.core.definition.actions import ChildSaga
from orchestration.core.definition.fillable import (
    Need,
    misnamed,
    missing,
    misspelt,
    names_of,
    needs_of,
    replacing,
    whole_outputs,
)
from orchestration.core.likeness import bounded
from orchestration.ports import gate_problems
from orchestration.runs.definitions.checking import KNOWN_AT_MOST, Checked, checked, refuse
from orchestration.runs.definitions.nesting import circle_problems, unknown_children
from orchestration.runs.definitions.versions import stored_version


def refuse_circles(definition: SagaDefinition) -> None:
    """Asked each time, since the answer depends on the sagas that are published by now.

    Raises:
        BadInput: a child leads back to this saga.
    """
    refuse(circle_problems(_with_children(definition)))


def refuse_slow_patterns(found: Checked, *, listed: bool = False) -> None:
    """Asked of content that is not stored yet, or not published if `listed`: stored sagas with such patterns go on.

    Raises:
        BadInput: a pattern of an `output_schema` cannot be searched in linear time.
    """
    if found.slow_patterns and stored_version(found.definition.saga_id, found.hash, listed) is None:
        refuse([*found.slow_patterns])


def refuse_unknown_children(definition: SagaDefinition) -> None:
    """Asked when a run starts, for children at any depth that is written in place.

    Raises:
        BadInput: a child that is named is not published.
    """
    refuse(unknown_children(_with_children(definition)))


def refuse_reserved(found: Checked) -> None:
    """Asked of whatever comes in by a door.

    Raises:
        BadInput: a step names a handler of Zen's own.
    """
    refuse([*found.reserved])


@bounded
def warnings_now(definition: SagaDefinition) -> list[str]:
    """What is valid and probably not meant, in words, and the children that a start would not find now."""
    missing_now = unknown_children(_with_children(definition))
    return [*warnings_of(definition), *(f"{one}; a start is refused until then" for one in missing_now)]


def _with_children(definition: SagaDefinition) -> dict[str, Any]:
    if not any(isinstance(step.forward_action, ChildSaga) for step in definition.steps):
        return {}
    return definition.model_dump(mode="json", include={"saga_id", "steps"})


def refuse_gates(definition: SagaDefinition) -> None:
    """Asked when a run starts: a definition may be published before its people and policies exist.

    Raises:
        BadInput: a gate names people or policies that do not exist.
    """
    refuse(gate_problems(definition))


@bounded
def refuse_gaps(found: Checked, context: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Asked when a run starts with this `context`, of which a person or a program gave `given`.

    Raises:
        BadInput: a placeholder that nothing can fill, a key that is probably misspelt, or a key that would take the
            place of a step's output.
    """
    names, own = _names(found), found.definition.context
    wrong = [*missing(names.needs, context), *misnamed(own, given, names.heads), *replacing(own, given, names.whole)]
    refuse(wrong)


@dataclass(frozen=True, slots=True)
class _Names:
    """The names in a definition's templates.

    Those that only the context can give, the first part of every name, and the steps that are named alone, so that
    their whole output is meant.
    """

    needs: list[Need]
    heads: frozenset[str]
    whole: frozenset[str]


_names_by_hash: dict[str, _Names] = {}


def _names(found: Checked) -> _Names:
    known = _names_by_hash.get(found.hash)
    if known is None:
        if len(_names_by_hash) >= KNOWN_AT_MOST:
            _names_by_hash.clear()
        saga = found.definition
        known = _names_by_hash[found.hash] = _Names(needs_of(saga), names_of(saga), whole_outputs(saga))
    return known


@bounded
def check_definition(data: object) -> SagaDefinition:
    """The definition in `data` (JSON, or a SagaDefinition), checked in full.

    Raises:
        BadInput: with every problem found, a circle of children among them.
    """
    found = checked(data)
    refuse([*misspelt(found.definition), *found.reserved])
    refuse_circles(found.definition)
    refuse_slow_patterns(found)
    return found.definition
