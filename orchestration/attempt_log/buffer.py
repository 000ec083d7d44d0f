"""Lines in memory, and the thread that writes them."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import threading
import time
from collections import deque
from contextvars import Context
from functools import partial

from django.db import connections

from foundation import telemetry
from foundation.db.outages import AWAY, heal
from foundation.guarded import guarded
from orchestration.attempt_log import rows
from orchestration.attempt_log.line import Line

log = logging.getLogger(__name__)

MOST_LINES, MOST_CHARACTERS = 10_000, 16 * 1024**2
"""What the buffer of a process holds."""
EVERY_SECONDS, AT_ONCE, LARGEST = 1.0, 200, 1000
"""It is written each second, sooner with AT_ONCE lines, and at most LARGEST lines in a transaction."""
IDLE_SECONDS = 10.0
"""Without lines for so long, the thread gives its connection back."""
EXIT_SECONDS = 2.0
DROPPED = "zen_log_lines_dropped_total"


class Buffer:
    """Bounded. Adding never waits for the database, and never fails."""

    def __init__(self) -> None:
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._lines: deque[Line] = deque()
        self._characters = 0
        self._arrived, self._enough = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.automatic = True
        """Off in tests whose rows are never committed: the thread, on a connection of its own, would commit them."""

    def add(self, line: Line) -> None:
        """Keep the line until it is written; drop it, and count it, when the buffer is full."""
        with self._lock:
            is_full = len(self._lines) >= MOST_LINES or self._characters + len(line.text) > MOST_CHARACTERS
            if not is_full:
                self._lines.append(line)
                self._characters += len(line.text)
                many = len(self._lines) >= AT_ONCE
                if self._thread is None and self.automatic:
                    self._thread = threading.Thread(
                        target=Context().run, args=(self._run,), name="attempt-log", daemon=True
                    )
                    self._thread.start()
        if is_full:
            line.log.leave_out()
            telemetry.count(DROPPED)
            return
        self._arrived.set()
        if many:
            self._enough.set()

    def flush(self) -> bool:
        """Write all there is, on this thread. False when the database was away: the lines stay."""
        return Context().run(self._flush)  # what is logged here is no line of an attempt

    def _flush(self) -> bool:
        with self._writing:
            while batch := self._first():
                told = guarded(partial(rows.write, batch), partial(_not_written, batch))
                if told is None:
                    return False
                telemetry.count(DROPPED, told) if told else None
                with self._lock:
                    for line in batch:
                        self._lines.popleft()
                        self._characters -= line.size
        return True

    def drain(self, seconds: float = EXIT_SECONDS) -> None:
        """Wait up to so many seconds until the thread has written what there is, before a process ends."""
        until = time.monotonic() + seconds
        self._arrived.set()
        works = self._thread is not None and self.automatic
        while works and (self._lines or self._writing.locked()) and time.monotonic() < until:
            self._enough.set()
            time.sleep(0.01)

    def forget(self) -> None:
        """Drop what is not written. For tests: the rows of another test are not this one's."""
        with self._writing, self._lock:
            self._lines.clear()
            self._characters = 0

    def _first(self) -> list[Line]:
        with self._lock:
            return list(itertools.islice(self._lines, LARGEST))

    def _run(self) -> None:
        while True:
            if not self._arrived.wait(IDLE_SECONDS):
                connections.close_all()
                self._arrived.wait()
            self._enough.wait(EVERY_SECONDS)
            self._arrived.clear()
            self._enough.clear()
            if self.automatic and not self.flush():
                time.sleep(EVERY_SECONDS)
                self._arrived.set()


def _not_written(batch: list[Line], error: Exception) -> int | None:
    """None: later again. A fault that is not the database's absence would come again, so these lines are dropped."""
    heal()
    if isinstance(error, AWAY):
        return None
    log.error("%d lines of attempts could not be written", len(batch), exc_info=error)
    for line in batch:
        line.log.leave_out()
    return len(batch)


BUFFER = Buffer()


def _after_fork() -> None:
    """What the parent has not written it writes itself."""
    BUFFER.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_after_fork)
atexit.register(BUFFER.drain)
