"""Which of the waits for an answer of PostgreSQL are for nothing, by what its server says over another connection.

`statement_watch` notes the waits, asks the server, and ends what is found.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connections

from foundation.db.outages import PATIENCE_SECONDS

if TYPE_CHECKING:
    import psycopg

AT_LEAST_SECONDS = 30.0
"""What takes less is not looked into; nor what takes less than three leases."""

AGAIN_SECONDS = 5.0
"""Between the looks that say so: the first may have met an answer on its way."""

# A pooler may give out numbers that are not the server's; then nothing is known. So is it without track_activities.
_LOOK = """
SELECT pg_backend_pid() = %(own)s AND current_setting('track_activities')::bool,
       array(SELECT pid FROM pg_stat_activity WHERE pid = ANY(%(pids)s) AND
             (state = 'active' OR state_change > clock_timestamp() - %(quiet)s * interval '1 second'))
"""
END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = %s AND usename = current_user AND state LIKE 'idle%%'
"""


@dataclass(eq=False, slots=True)
class Wait:
    """A thread's wait for an answer of the server, since `since` (of time.monotonic)."""

    postgres: psycopg.Connection[Any]
    pid: int
    since: float
    accused_at: float = field(default=0.0)


def guilty(late: Iterable[Wait], busy: Iterable[int], at: float, *, is_known: bool) -> list[Wait]:
    """Which of the late waits are for nothing. `busy`: the server processes that work or have just ended something.

    A wait must be found so at two looks. Where the server does not say (not `is_known`), it is one after
    PATIENCE_SECONDS.
    """
    working, found = set(busy), []
    for wait in late:
        if not is_known:
            if at - wait.since > PATIENCE_SECONDS:
                found.append(wait)
        elif wait.pid in working:
            wait.accused_at = 0.0
        elif not wait.accused_at:
            wait.accused_at = at
        elif at - wait.accused_at >= AGAIN_SECONDS:
            found.append(wait)
    return found


def asked(postgres: psycopg.Connection[Any], late: Sequence[Wait], *, own: int) -> tuple[bool, list[Wait]]:
    """Whether the server of this connection says what it works on, and those that are for nothing.

    `own`: the server process of the connection itself.
    """
    given = {"own": own, "pids": [wait.pid for wait in late], "quiet": AGAIN_SECONDS}
    is_known, busy = postgres.execute(_LOOK, given).fetchone() or (False, [])
    return is_known, guilty(late, busy, time.monotonic(), is_known=is_known)


def least_seconds() -> float:
    """How long a wait has to take before it is looked into."""
    return max(AT_LEAST_SECONDS, 3 * settings.ZEN_WORKER_LEASE_SECONDS)


def shut(postgres: psycopg.Connection[Any]) -> None:
    """End the connection beneath the thread that waits at it, which gets an OperationalError."""
    import psycopg  # noqa: PLC0415 - an extra

    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(postgres.fileno())) as mine:
        mine.shutdown(socket.SHUT_RDWR)


def parameters() -> dict[str, Any]:
    """Django's parameters for the driver, without those that are objects of Python."""
    found = connections["default"].get_connection_params()
    return {"connect_timeout": 10} | {
        key: value for key, value in found.items() if isinstance(value, str | int | float)
    }
