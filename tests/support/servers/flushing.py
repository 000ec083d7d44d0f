"""The flush between tests. SQLite flushes by DELETE, which the audit's triggers refuse: off before, on again after."""

from __future__ import annotations

from typing import Any

from django.db import connection

from foundation.audit import triggers


def let_it_pass() -> None:
    """On PostgreSQL there is nothing to do: TRUNCATE asks no row's trigger."""
    if connection.vendor != "sqlite":
        return
    plain = connection.ops.sql_flush

    def sql_flush(style: Any, tables: Any, **options: Any) -> list[str]:
        deletes = plain(style, tables, **options)
        return [*triggers.drop("sqlite"), *deletes, *triggers.create("sqlite")] if deletes else deletes

    connection.ops.sql_flush = sql_flush  # type: ignore[method-assign]
