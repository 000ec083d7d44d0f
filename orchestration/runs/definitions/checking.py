"""A definition, validated: with what its models refuse, and what stands beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from foundation.errors import BadInput
from orchestration.actions.conditions import condition_problems
from orchestration.actions.output_schema import bounded_check, schema_problems
from orchestration.actions.schema_patterns import pattern_problems
from orchestration.core.definition import (
    DefinitionErrors,
    Problem,
    SagaDefinition,
    definition_hash,
    validate_definition,
)
from orchestration.core.definition.shape import plain_json
from orchestration.runs.definitions.reserved import reserved_problems


@dataclass(frozen=True, slots=True)
class Checked:
    """A definition that holds, and the hash of its content. `slow_patterns`: faults of new content only.

    `reserved`: faults of whatever Zen has not compiled itself.
    """

    definition: SagaDefinition
    hash: str
    slow_patterns: tuple[Problem, ...]
    reserved: tuple[Problem, ...] = ()


def checked(data: object) -> Checked:
    """As `check_definition`, without the checks that depend on other published sagas. Remembered by content.

    Raises:
        BadInput: with every problem found.
    """
    key = hashlib.sha256(repr(data).encode(errors="replace")).digest() if type(data) is dict else b""
    found = _known.get(key)
    if found is None:
        with bounded_check():
            definition = _validated(data)
            found = Checked(
                definition,
                definition_hash(definition),
                slow_patterns=tuple(_slow_patterns(definition)),
                reserved=tuple(reserved_problems(definition)),
            )
        if key:
            _remember(key, found)
    return found


KNOWN_AT_MOST = 64

_known: dict[bytes, Checked] = {}


def _remember(key: bytes, found: Checked) -> None:
    if len(_known) >= KNOWN_AT_MOST:
        _known.clear()
    _known[key] = found


def _validated(data: object) -> SagaDefinition:
    plain = data.model_dump(mode="json", exclude_unset=True) if isinstance(data, SagaDefinition) else data
    try:
        definition = validate_definition(plain)
        found = [*schema_problems(plain), *condition_problems(plain)]
    except DefinitionErrors as errors:
        found = [*errors.problems, *_problems_beside(plain)]
    refuse(found)
    return definition


def refuse(found: list[Problem]) -> None:
    """Raise BadInput that tells all of these problems, if there are any."""
    if found:
        all_of_them = DefinitionErrors(found)
        raise BadInput(str(all_of_them), field="definition", problems=all_of_them.as_dicts())


def _problems_beside(data: object) -> list[Problem]:
    """Those of a definition with other faults; none when it is not even plain JSON."""
    try:
        plain = plain_json(data)
        return [*schema_problems(plain), *condition_problems(plain)]
    except DefinitionErrors:
        return []


def _slow_patterns(definition: SagaDefinition) -> list[Problem]:
    return pattern_problems(definition.model_dump(mode="json", include={"saga_id", "steps"}))
