"""Ids of runs that were removed."""

from __future__ import annotations

from foundation.errors import BadInput, NotFound
from orchestration.models import Tombstone


def unknown_run(workflow_id: str) -> NotFound:
    """The error for an id that no run has; it tells of one that was removed, how it had ended and when it went."""
    found = tombstone_of(workflow_id)
    if found is None:
        return NotFound(f"there is no run '{workflow_id}'", field="workflow_id", remedy="see `manage.py runs list`")
    return NotFound(
        f"run '{workflow_id}' is no longer kept: it ended {found.status} on {_day(found.ended_at)} and was removed on "
        f"{_day(found.removed_at)}",
        field="workflow_id", remedy=f"its audit stays: `manage.py audit export --workflow-id {workflow_id}`",
    )  # fmt: skip


def used_before(workflow_id: str, *, field: str = "workflow_id") -> BadInput | None:
    """The error for an id that a removed run had: its chain of the audit would go on with another run.

    None for one that no removed run had.
    """
    found = tombstone_of(workflow_id)
    if found is None:
        return None
    return BadInput(
        f"{field} '{workflow_id}' was used by a run that ended {found.status} on {_day(found.ended_at)} and was "
        f"removed on {_day(found.removed_at)}",
        field=field, value=workflow_id, remedy=f"choose another {field}, or none to get a new one",
    )  # fmt: skip


def tombstone_of(workflow_id: str) -> Tombstone | None:
    """What stays of a removed run; None where no such id was removed."""
    return Tombstone.objects.filter(workflow_id=workflow_id).first()


def _day(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
