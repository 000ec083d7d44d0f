"""The clocks of the shell. The core gets its time with each event."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    return timezone.now()


def database_now() -> datetime:
    """The clock that everybody shares who writes here: the server's, at this moment. Aware, to the microsecond.

    SQLite has no server: whoever opens its file is on its machine, and so has its clock.
    """
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    return moment  # type: ignore[no-any-return]
