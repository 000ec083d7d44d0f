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
import threading
import time
import weakref
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created

from foundation.clock import now
from foundation.db import silent_waits
from foundation.db.outages import TOLD_SECONDS
from foundation.db.silent_waits import Wait, parameters, shut
from foundation.guarded import guarded, logged

try:
    import psycopg
except ImportError:  # an extra: without it there is SQLite alone
    psycopg = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""How long the look itself may take once it is connected."""


class StatementWatch:
    """Watches the connections of this process. `shut`: how many it has closed."""

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
        connection_created.connect(self._opened, dispatch_uid="foundation.db.statement_watch")
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
            if postgres is None:  # never: the connection itself calls this
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
        limit, at = silent_waits.least_seconds(), time.monotonic()
        with self._lock:
            return [wait for wait in self._waits if at - wait.since > limit]

    # --- the looks -----------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        while True:
            time.sleep(1)
            guarded(self._tend, logged(log, "the watch over the database's connections failed; it goes on"))

    def _tend(self) -> None:
        """A look is a thread of its own, since its connection may fall silent as well."""
        if self._looking is not None and self._looking.is_alive():
            look = self._look
            if look is not None and time.monotonic() - look.since > LOOK_SECONDS:
                shut(look.postgres)
        elif time.monotonic() > self._next_look and (late := self._late()):
            self._next_look = time.monotonic() + silent_waits.AGAIN_SECONDS
            self._looking = threading.Thread(target=self._look_into, args=(late,), daemon=True)
            self._looking.start()

    def _look_into(self, late: list[Wait]) -> None:
        try:
            with contextlib.closing(psycopg.connect(**parameters(), autocommit=True)) as postgres:
                self._look = Wait(postgres, postgres.pgconn.backend_pid, time.monotonic())
                is_known, found = silent_waits.asked(postgres, late, own=self._look.pid)
                for wait in found:
                    self._end(wait)
                    if is_known:
                        postgres.execute(silent_waits.END, [wait.pid])  # its transaction may hold locks
        except psycopg.Error as error:
            log.warning("a statement takes long, and the database could not be asked why: %s", error)
        finally:
            self._look = None

    def _end(self, wait: Wait) -> None:
        with self._lock:  # a wait leaves the set before its connection is closed, so the socket is still its own
            if wait not in self._waits:
                return
            shut(wait.postgres)
            self.shut += 1
        self._shut_at, self._told_until = now().isoformat(timespec="seconds"), time.monotonic() + TOLD_SECONDS
        log.error(
            "a connection to the database fell silent: no answer for %.0f s, and the server works on nothing for it. "
            "It is closed, and what waited is tried again on another",
            time.monotonic() - wait.since,
        )


WATCH = StatementWatch()
os.register_at_fork(after_in_child=WATCH.forked)
