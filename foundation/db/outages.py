"""Errors that pass, connections that heal, and work that waits while the database is away."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from foundation.clock import now

log = logging.getLogger(__name__)
Result = TypeVar("Result")

AWAY = (OperationalError, InterfaceError)
"""What Django raises when the database did not do its part: away, a dropped connection, a lock, a deadlock."""

PATIENCE_SECONDS = 600.0
"""How long a known result waits for the database. Each thread holds at most one, so their number is bounded too."""

TOLD_SECONDS = 3600.0
"""How long an outage is told of after its end."""


def heal() -> None:
    """Close this thread's connection if it cannot be used; the next query opens another."""
    close_old_connections()


def lost(error: Exception) -> bool:
    """Whether this thread's connection is gone with the error: nothing that is asked of it now can succeed."""
    return isinstance(error, AWAY) and (connection.connection is None or not connection.is_usable())


def traceback_of(error: BaseException) -> BaseException | None:
    """For a log line's `exc_info`: None for an error that passes by itself, of which its text says all."""
    return None if isinstance(error, AWAY) else error


def pauses() -> Iterator[float]:
    """Seconds between tries: at once, then soon, then about each second."""
    yield from (0.0, 0.05, 0.2, 0.5)
    while True:
        yield random.uniform(0.7, 1.3)  # noqa: S311 - no secret


def outlast(do: Callable[[], Result], *, what: object = "", seconds: float = PATIENCE_SECONDS) -> Result:
    """Do it, again and again while the database is away, for at most so many seconds.

    `what` names it in the log.

    Raises:
        OperationalError, InterfaceError: the last one, once the time is over. Any other error of `do` at once.
    """
    began = time.monotonic()
    for pause in pauses():
        try:
            result = do()
        except AWAY as error:
            heal()
            waited = time.monotonic() - began
            if waited > seconds:
                raise
            if pause == 0.0:
                log.warning("%s waits for the database: %s", what, str(error).split("\n")[0])
            HELD.waits(threading.get_ident(), waited)
            time.sleep(pause)
        else:
            HELD.done(threading.get_ident(), time.monotonic() - began)
            return result
    raise AssertionError("pauses never end")


class Held:
    """How many results wait for the database, and what the last outage held up: for the worker's row."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, float] = {}
        self._results, self._longest, self._ended = 0, 0.0, 0.0
        self._ended_at = ""

    def waits(self, holder: int, seconds: float) -> None:
        """This thread's result has waited for so many seconds."""
        with self._lock:
            self._waiting[holder] = seconds

    def done(self, holder: int, seconds: float) -> None:
        """This thread's result is stored, after so many seconds."""
        if holder not in self._waiting:
            return
        with self._lock:
            del self._waiting[holder]
            if seconds < 1.0:
                return  # a deadlock or a dropped connection, and no outage
            if time.monotonic() - self._ended > 60:
                self._results, self._longest = 0, 0.0
            self._results, self._longest = self._results + 1, max(self._longest, seconds)
            self._ended, self._ended_at = time.monotonic(), now().isoformat(timespec="seconds")

    def told(self) -> dict[str, object]:
        """For the worker's row: results, seconds of the longest, ended_at, and how many wait still.

        {} when there is nothing.
        """
        with self._lock:
            over = not self._results or time.monotonic() - self._ended > TOLD_SECONDS
            if over and not self._waiting:
                return {}
            return {
                "results": self._results, "seconds": round(self._longest, 1), "ended_at": self._ended_at,
                "waiting": len(self._waiting),
            }  # fmt: skip


HELD = Held()
