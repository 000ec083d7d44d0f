"""A database that somebody else keeps locked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from tests.support.waiting import PATIENCE_SECONDS


@contextmanager
def locked(seconds: float) -> Iterator[None]:
    """Somebody else's transaction holds the commands' table, on SQLite the whole file, so long."""
    held = threading.Event()

    def hold() -> None:
        connection = connections["default"]
        with connection.cursor() as cursor:
            on_sqlite = connection.vendor == "sqlite"
            cursor.execute("BEGIN IMMEDIATE" if on_sqlite else "BEGIN")
            if not on_sqlite:
                cursor.execute("LOCK TABLE orchestration_command IN ACCESS EXCLUSIVE MODE")
            held.set()
            time.sleep(seconds)
            cursor.execute("ROLLBACK")
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(PATIENCE_SECONDS)
    yield
    thread.join()
