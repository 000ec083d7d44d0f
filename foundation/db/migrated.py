"""When a table came to this database."""

from __future__ import annotations

from datetime import datetime

from django.db.migrations.recorder import MigrationRecorder


def migrated_at(app: str, name: str = "") -> datetime | None:
    """When a migration of an app was applied, without a name its first one; None where that is not known."""
    found = MigrationRecorder.Migration.objects.filter(app=app).order_by("applied")
    row = (found.filter(name=name) if name else found).first()
    return row.applied if row is not None else None
