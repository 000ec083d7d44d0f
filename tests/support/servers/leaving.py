"""PostgreSQL drops no database that a session is in, and a session outlives its killed process for a moment."""

from __future__ import annotations

import time

from django.db import connection

from tests.support.waiting import PATIENCE_SECONDS

ENDING_SECONDS = 10.0
_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def until_alone() -> None:
    """Wait for the other sessions of the test's database to end; those that stay are ended."""
    if connection.vendor != "postgresql":
        return
    deadline = time.monotonic() + ENDING_SECONDS
    with connection.cursor() as cursor:
        while _count(cursor) and time.monotonic() < deadline:
            time.sleep(0.1)
        cursor.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}")
        while _count(cursor) and time.monotonic() < deadline + PATIENCE_SECONDS:
            time.sleep(0.1)
    connection.close()


def _count(cursor: object) -> int:
    cursor.execute(f"SELECT count(*) {_OTHERS}")  # type: ignore[attr-defined]
    (count,) = cursor.fetchone()  # type: ignore[attr-defined]
    return int(count)
