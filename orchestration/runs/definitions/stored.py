"""Publish and check definitions."""

from __future__ import annotations

from foundation import audit
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.identity import permissions
from foundation.identity.actor import Actor
from orchestration.core.definition import warnings_of
from orchestration.core.definition.fillable import misspelt
from orchestration.models import Definition
from orchestration.runs.definitions.checking import Checked, checked, refuse
from orchestration.runs.definitions.refusals import refuse_circles, refuse_slow_patterns
from orchestration.runs.definitions.versions import next_version, stored_version


def publish(*, data: object, actor: Actor) -> tuple[Definition, bool]:
    """Store this content as a version; returns it and whether it is new. The same content is one version.

    Raises:
        BadInput: with every problem found.
        NotAllowed: the actor may not publish.
    """
    permissions.require(actor, "definition.publish")
    found = checked(data)
    refuse([*misspelt(found.definition), *found.reserved])
    refuse_slow_patterns(found, listed=True)
    with statements.writing():
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
    same = stored_version(definition.saga_id, found.hash, listed)
    if same is not None:
        return same, False
    refuse_circles(definition)
    statements.run(*lock_by_name(f"definition:{definition.saga_id}"))  # one at a time counts its versions
    same = stored_version(definition.saga_id, found.hash, listed)
    if same is not None:
        return same, False
    stored = Definition.objects.create(
        saga_id=definition.saga_id,
        version=next_version(definition.saga_id) if listed else 0,
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
    """Write the audit row of a new version, in the caller's transaction."""
    audit.record(actor=actor, action="definition.publish", definition=str(stored))
