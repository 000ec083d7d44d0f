"""Publish and check definitions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet

from orchestration import audit, roles, sql
from orchestration.audit import Actor
from orchestration.conditions import condition_problems
from orchestration.core.definition import (
    DefinitionErrors,
    Problem,
    SagaDefinition,
    definition_hash,
    validate_definition,
    warnings_of,
)
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
from orchestration.core.definition.shape import plain_json
from orchestration.core.likeness import bounded
from orchestration.errors import BadInput
from orchestration.gates import gate_problems
from orchestration.models import Definition
from orchestration.output_schemas import schema_problems
from orchestration.services.circles import circle_problems, unknown_children
from orchestration.turns import turn


@dataclass(frozen=True, slots=True)
class Checked:
    """A definition that holds, and the hash of its content."""

    definition: SagaDefinition
    hash: str


@bounded
def check_definition(data: object) -> SagaDefinition:
    """The definition in `data`, or BadInput with every problem found."""
    definition = checked(data).definition
    _refuse(misspelt(definition))
    refuse_circles(definition)
    return definition


def checked(data: object) -> Checked:
    """As `check_definition`; the same content costs once, since services start the same few sagas all day."""
    key = hashlib.sha256(repr(data).encode(errors="replace")).digest() if type(data) is dict else b""
    found = _known.get(key)
    if found is None:
        definition = _validated(data)
        found = Checked(definition, definition_hash(definition))
        if key:
            _remember(key, found)
    return found


_KNOWN_AT_MOST = 64
_known: dict[bytes, Checked] = {}


def _remember(key: bytes, found: Checked) -> None:
    if len(_known) >= _KNOWN_AT_MOST:
        _known.clear()
    _known[key] = found


def _validated(data: object) -> SagaDefinition:
    plain = data.model_dump(mode="json", exclude_unset=True) if isinstance(data, SagaDefinition) else data
    try:
        definition = validate_definition(plain)
        found = [*schema_problems(plain), *condition_problems(plain)]
    except DefinitionErrors as errors:
        found = [*errors.problems, *_problems_beside(plain)]
    _refuse(found)
    return definition


def refuse_circles(definition: SagaDefinition) -> None:
    """Not among what is remembered: it hangs on the sagas that are published by now."""
    _refuse(circle_problems(_with_children(definition)))


def refuse_unknown_children(definition: SagaDefinition) -> None:
    """Of a run that is to start now: the children that it names, at any depth that is written in place."""
    _refuse(unknown_children(_with_children(definition)))


@bounded
def warnings_now(definition: SagaDefinition) -> list[str]:
    """What may not be meant, and the children that a start would not find as things stand."""
    missing_now = unknown_children(_with_children(definition))
    return [*warnings_of(definition), *(f"{one}; a start is refused until then" for one in missing_now)]


def _with_children(definition: SagaDefinition) -> dict[str, Any]:
    if not any(isinstance(step.forward_action, ChildSaga) for step in definition.steps):
        return {}
    return definition.model_dump(mode="json", include={"saga_id", "steps"})


def refuse_gates(definition: SagaDefinition) -> None:
    """Of a run that is to start now: a definition may be published before its people and policies are there."""
    _refuse(gate_problems(definition))


@bounded
def refuse_gaps(found: Checked, context: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Of a run that is to start now, with this context, of which a person or a program gives `given`: every placeholder
    that nothing can fill, keys that are most likely slips, and keys that would stand for a step's output.
    """
    names, own = _names(found), found.definition.context
    wrong = [*missing(names.needs, context), *misnamed(own, given, names.heads), *replacing(own, given, names.whole)]
    _refuse(wrong)


@dataclass(frozen=True, slots=True)
class _Names:
    """What the templates of a definition name: what only the context can give, every first part of a name, and the
    steps whose whole output is meant.
    """

    needs: list[Need]
    heads: frozenset[str]
    whole: frozenset[str]


_names_by_hash: dict[str, _Names] = {}


def _names(found: Checked) -> _Names:
    known = _names_by_hash.get(found.hash)
    if known is None:
        if len(_names_by_hash) >= _KNOWN_AT_MOST:
            _names_by_hash.clear()
        saga = found.definition
        known = _names_by_hash[found.hash] = _Names(needs_of(saga), names_of(saga), whole_outputs(saga))
    return known


def _refuse(found: list[Problem]) -> None:
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


def publish(*, data: object, actor: Actor) -> tuple[Definition, bool]:
    """The stored version of this content, and whether it is new. The same content is one version."""
    roles.require(actor, "definition.publish")
    found = checked(data)
    _refuse(misspelt(found.definition))
    with sql.writing():
        stored, created = store(found, actor=actor)
        if created:
            audit_publishing(stored, actor)
    return stored, created


def store(found: Checked, *, actor: Actor, listed: bool = True) -> tuple[Definition, bool]:
    """The row of this content and whether it is new, inside the caller's transaction.

    `listed`: as a published version; the caller has asked whether the actor may. Otherwise as a definition of its
    runs' own, which nothing finds by its name, unless this very content is published already.
    """
    definition = found.definition
    same = _stored(definition.saga_id, found.hash, listed)
    if same is not None:
        return same, False
    refuse_circles(definition)
    sql.run(*turn(f"definition:{definition.saga_id}"))  # one at a time counts its versions
    same = _stored(definition.saga_id, found.hash, listed)
    if same is not None:
        return same, False
    latest = Definition.objects.filter(saga_id=definition.saga_id).order_by("-version").first() if listed else None
    stored = Definition.objects.create(
        saga_id=definition.saga_id,
        version=(latest.version + 1 if latest else 1) if listed else 0,
        listed=listed,
        hash=found.hash,
        name=definition.name or definition.saga_id,
        body=definition.model_dump(mode="json", exclude_unset=True),
        warnings=warnings_of(definition),
        published_by=actor.name if listed else "",
        published_by_id=actor.user_id if listed else None,
    )
    return stored, True


def audit_publishing(stored: Definition, actor: Actor) -> None:
    audit.record(actor=actor, action="definition.publish", definition=str(stored))


def published(saga_id: str) -> QuerySet[Definition]:
    """The versions that a name stands for, the latest first."""
    return Definition.objects.filter(saga_id=saga_id, listed=True).order_by("-version")


def _stored(saga_id: str, content: str, listed: bool) -> Definition | None:
    """The row with this content, the published one before any other; `listed`: no other.

    The row is looked for; what it holds never changes, so it is read once.
    """
    statement = "SELECT id, listed FROM orchestration_definition WHERE saga_id = %s AND hash = %s"
    rows = sql.rows_of(sql.Statement(statement, [saga_id, content]))[0]
    for pk, is_listed in sorted(rows, key=lambda row: not row[1]):
        if is_listed or not listed:
            return _read(pk, content)
    return None


@lru_cache(maxsize=64)
def _read(pk: int, content: str) -> Definition:
    return Definition.objects.get(pk=pk, hash=content)
