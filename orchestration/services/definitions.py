"""Publish and check definitions."""

from __future__ import annotations

from django.db import transaction

from orchestration import audit, roles
from orchestration.audit import Actor
from orchestration.core.definition import (
    DefinitionErrors,
    SagaDefinition,
    definition_hash,
    validate_definition,
    warnings_of,
)
from orchestration.errors import BadInput
from orchestration.models import Definition


def check_definition(data: object) -> SagaDefinition:
    """The definition in `data`, or BadInput with every problem found."""
    try:
        return validate_definition(data)
    except DefinitionErrors as errors:
        raise BadInput(str(errors), field="definition", problems=errors.as_dicts()) from None


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
