"""The one clock of the shell, which is the database's. The core gets its time with each event."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from notifications import clock
from notifications.clock import now, read

__all__ = ["database_now", "now", "read"]


def database_now() -> datetime:
    """The database's clock at this moment, to the microsecond, for a query; `now` is within milliseconds of it.

    SQLite has no server: whoever opens its file is on its machine, and so has its clock.
    """
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        return clock.ask(cursor)
