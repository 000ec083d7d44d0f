"""A lock by a name, held until the transaction ends. Others who ask for the name wait."""

from __future__ import annotations

from django.db import connection

from foundation.db import statements


def lock_by_name(name: str) -> list[statements.Statement]:
    """The statements that take the lock, for a caller that sends more in the same message. Run them in a transaction.

    SQLite needs none: its writing transactions come one after another anyway.
    """
    if connection.vendor != "postgresql":
        return []
    return [statements.Statement("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])]
