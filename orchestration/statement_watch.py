"""Connections to PostgreSQL that fell silent without being closed, as behind a proxy that answers TCP by itself.

A thread that waits for an answer which will never come waits for ever: keepalives see a living peer. So each wait is
noted, and one that takes long is looked into over another connection. While the server works on the statement, or waits
for a lock, all is well, however long that takes. If the server has no such statement, the socket is shut, so the thread
gets an OperationalError and does what it does in any outage.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created

from orchestration.clock import now
from orchestration.outages import PATIENCE_SECONDS, TOLD_SECONDS

log = logging.getLogger(__name__)

AT_LEAST_SECONDS = 30.0
"""What takes less is not looked into; nor what takes less than three leases."""

LOOK_SECONDS = 15.0
"""How long the look itself may take once it is connected."""

AGAIN_SECONDS = 5.0
"""Between the looks that say so: the first may have met an answer on its way."""

# A pooler may give out numbers that are not the server's; then nothing is known. So is it without track_activities.
_LOOK = """
SELECT pg_backend_pid() = %(own)s AND current_setting('track_activities')::bool,
       array(SELECT pid FROM pg_stat_activity WHERE pid = ANY(%(pids)s) AND
             (state = 'active' OR state_change > clock_timestamp() - %(quiet)s * interval '1 second'))
"""
_END = """
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


class StatementWatch:
    """Of this process's connections. `shut`: how many it has had to shut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: set[Wait] = set()
        self._look: Wait | None = None
        self._looking: threading.Thread | None = None
        self._next_look = 0.0
        self._thread: threading.Thread | None = None
        self.shut, self._shut_at, self._told_until = 0, "", 0.0

    def start(self) -> None:
        """Watch all connections that are opened from now on, and this thread's. SQLite has none."""
        if connections["default"].vendor != "postgresql":
            return
        connection_created.connect(self._opened, dispatch_uid="orchestration.statement_watch")
        for one in connections.all(initialized_only=True):
            self._opened(connection=one)

    def forked(self) -> None:
        """In a child, which has none of its parent's threads: the first connection that it opens starts its own."""
        self._lock, self._thread, self._looking, self._look = threading.Lock(), None, None, None
        self._waits.clear()

    def told(self) -> dict[str, object]:
        """{} when there is nothing to tell; else how many connections were shut, and when the last."""
        if time.monotonic() > self._told_until:
            return {}
        return {"connections": self.shut, "at": self._shut_at}

    # --- the waits -----------------------------------------------------------------------------------------------

    def _opened(self, connection: Any, **_: Any) -> None:
        if connection.vendor == "postgresql" and isinstance(connection.connection, psycopg.Connection):
            self._note_waits_of(connection.connection)
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._go_on, name="statement-watch", daemon=True)
                    self._thread.start()

    def _note_waits_of(self, postgres: psycopg.Connection[Any]) -> None:
        mine, pid = weakref.ref(postgres), postgres.pgconn.backend_pid  # no cycle, so it ends with its last user

        def wait(*args: Any, **options: Any) -> Any:
            postgres = mine()
            if postgres is None:  # never: it is whoever calls
                raise psycopg.InterfaceError("the connection is gone")
            noted = Wait(postgres, pid, time.monotonic())
            with self._lock:
                self._waits.add(noted)
            try:
                return type(postgres).wait(postgres, *args, **options)
            finally:
                with self._lock:
                    self._waits.discard(noted)

        postgres.wait = wait  # type: ignore[method-assign]

    def _late(self) -> list[Wait]:
        limit = max(AT_LEAST_SECONDS, 3 * settings.ZEN_WORKER_LEASE_SECONDS)
        at = time.monotonic()
        with self._lock:
            return [wait for wait in self._waits if at - wait.since > limit]

    # --- the looks -----------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        while True:
            time.sleep(1)
            try:
                self._tend()
            except Exception:
                log.exception("the watch over the database's connections failed; it goes on")

    def _tend(self) -> None:
        """A look is a thread of its own, since its connection may fall silent as well."""
        if self._looking is not None and self._looking.is_alive():
            look = self._look
            if look is not None and time.monotonic() - look.since > LOOK_SECONDS:
                _shut(look.postgres)
        elif time.monotonic() > self._next_look and (late := self._late()):
            self._next_look = time.monotonic() + AGAIN_SECONDS
            self._looking = threading.Thread(target=self._look_into, args=(late,), daemon=True)
            self._looking.start()

    def _look_into(self, late: list[Wait]) -> None:
        try:
            with contextlib.closing(psycopg.connect(**parameters(), autocommit=True)) as postgres:
                pids = [wait.pid for wait in late]
                self._look = Wait(postgres, postgres.pgconn.backend_pid, time.monotonic())
                given = {"own": self._look.pid, "pids": pids, "quiet": AGAIN_SECONDS}
                is_known, busy = postgres.execute(_LOOK, given).fetchone() or (False, [])
                for wait in guilty(late, busy, time.monotonic(), is_known=is_known):
                    self._end(wait)
                    if is_known:
                        postgres.execute(_END, [wait.pid])  # its transaction may hold locks
        except psycopg.Error as error:
            log.warning("a statement takes long, and the database could not be asked why: %s", error)
        finally:
            self._look = None

    def _end(self, wait: Wait) -> None:
        with self._lock:  # whoever waits leaves the set before the connection is closed, so the socket is still its own
            if wait not in self._waits:
                return
            _shut(wait.postgres)
            self.shut += 1
        self._shut_at, self._told_until = now().isoformat(timespec="seconds"), time.monotonic() + TOLD_SECONDS
        seconds = time.monotonic() - wait.since
        log.error(
            "a connection to the database fell silent: no answer for %.0f s, and the server works on nothing for it. "
            "It is closed, and what waited is tried again on another",
            seconds,
        )


def _shut(postgres: psycopg.Connection[Any]) -> None:
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(postgres.fileno())) as mine:
        mine.shutdown(socket.SHUT_RDWR)


def parameters() -> dict[str, Any]:
    """Django's parameters for the driver, without those that are objects of Python."""
    found = connections["default"].get_connection_params()
    return {"connect_timeout": 10} | {
        key: value for key, value in found.items() if isinstance(value, str | int | float)
    }


WATCH = StatementWatch()
os.register_at_fork(after_in_child=WATCH.forked)
