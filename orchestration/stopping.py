"""Whether anybody still wants what an attempt is doing, asked of its row."""

from __future__ import annotations

import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections

from orchestration.models import Command

LOOK_SECONDS = 1.0


class AskedToStop(threading.Event):
    """Set once the run gave the attempt up. Looks at the row when it is asked, at most once in LOOK_SECONDS.

    So an action that never asks costs nothing. To be asked by the thread that performs the attempt.
    """

    def __init__(self, row: Command) -> None:
        super().__init__()
        self._row = row.pk
        self._next = time.monotonic() + LOOK_SECONDS

    def is_set(self) -> bool:
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
