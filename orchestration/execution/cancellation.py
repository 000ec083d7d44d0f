"""Whether the run still wants the result of an attempt, read from the attempt's row."""

from __future__ import annotations

import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections

from orchestration.models import Command

LOOK_SECONDS = 1.0


class CancellationFlag(threading.Event):
    """Set once the run has given the attempt up. Reads the row when it is asked, at most once in LOOK_SECONDS.

    An action that never asks costs no query. To be asked by the thread that performs the attempt.
    """

    def __init__(self, row: Command) -> None:
        super().__init__()
        self._row = row.pk
        self._next = time.monotonic() + LOOK_SECONDS

    def is_set(self) -> bool:
        """Whether the attempt was given up. While the database is away the last answer counts."""
        if not super().is_set() and time.monotonic() >= self._next:
            self._look()
            self._next = time.monotonic() + LOOK_SECONDS
        return super().is_set()

    def _look(self) -> None:
        try:
            if Command.objects.filter(pk=self._row, cancel_requested=True).exists():
                self.set()
        except (DatabaseError, InterfaceError):  # the attempt goes on; who wants its result will be asked later
            close_old_connections()
