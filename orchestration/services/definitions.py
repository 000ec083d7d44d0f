"""Publish and check definitions."""

from __future__ import annotations

from django.db import transaction

from orchestration import audit, roles
from orchestration.audit import Actor
from orchestration.core.definition import (
    DefinitionErrors,
    Problem,
    SagaDefinition,
    definition_hash,
    validate_definition,
    warnings_of,
)
from orchestration.core.definition.shape import plain_json
from orchestration.errors import BadInput
from orchestration.models import Definition
from orchestration.output_schemas import schema_problems


def check_definition(data: object) -> SagaDefinition:
    """The definition in `data`, or BadInput with every problem found."""
    plain = data.model_dump(mode="json", exclude_unset=True) if isinstance(data, SagaDefinition) else data
    try:
        definition = validate_definition(plain)
        found = schema_problems(plain)
    except DefinitionErrors as errors:
        found = [*errors.problems, *_schema_problems_beside(plain)]
    if not found:
        return definition
    all_of_them = DefinitionErrors(found)
    raise BadInput(str(all_of_them), field="definition", problems=all_of_them.as_dicts())


def _schema_problems_beside(data: object) -> list[Problem]:
    """Those of a definition with other faults; none when it is not even plain JSON."""
    try:
        return schema_problems(plain_json(data))
    except DefinitionErrors:
        return []


def publish(*, data: object, actor: Actor) -> tuple[Definition, bool]:
    """The stored version of this content, and whether it is new. The same content is one version."""
    roles.require(actor, "definition.publish")
    definition = check_definition(data)
    with transaction.atomic():
        stored, created = store(definition, actor=actor)
        if created:
            audit.record(actor=actor, action="definition.publish", definition=str(stored))
    return stored, created


def store(definition: SagaDefinition, *, actor: Actor) -> tuple[Definition, bool]:
    """Inside the caller's transaction."""
    content = definition_hash(definition)
    same = Definition.objects.filter(saga_id=definition.saga_id, hash=content).first()
    if same is not None:
        return same, False
    latest = Definition.objects.filter(saga_id=definition.saga_id).order_by("-version").first()
    stored = Definition.objects.create(
        saga_id=definition.saga_id,
        version=latest.version + 1 if latest else 1,
        hash=content,
        name=definition.name or definition.saga_id,
        body=definition.model_dump(mode="json", exclude_unset=True),
        warnings=warnings_of(definition),
        published_by=actor.name,
    )
    return stored, True
