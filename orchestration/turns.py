"""Take turns by name: whoever has a name keeps it until its transaction ends."""

from __future__ import annotations

from django.db import connection

from orchestration import sql


def turn(name: str) -> list[sql.Statement]:
    """What takes the turn, for a caller that asks more in the same message.

    SQLite needs nothing: its transactions begin with the writer's place, so there is one at a time.
    """
    if connection.vendor != "postgresql":
        return []
    return [sql.Statement("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])]
