"""The time it will be, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import time_machine
from django.db import connection

from foundation import clock


@contextmanager
def after(**span: float) -> Iterator[None]:
    """Whoever asks what time it is sees it so much later, in every thread of this process.

    PostgreSQL's own clock cannot be moved: its answers are. SQL that compares with it itself sees nothing.
    """
    moved = timedelta(**span)
    if connection.vendor != "postgresql":
        with time_machine.travel(clock.now() + moved, tick=True):
            yield
        return
    ask = clock.ask

    def later(cursor: Any) -> datetime:
        return ask(cursor) + moved

    better = clock.better

    def moved_alone(old: clock.Reading | None, new: clock.Reading) -> clock.Reading:
        """What another thread had asked before the move and gets now is not taken."""
        return old if old and abs(old.at(new.after) - new.shown) > moved / 2 else better(old, new)

    clock.read()
    reading = clock._reading
    assert reading is not None
    shown = replace(reading, shown=reading.shown + moved)
    with (
        mock.patch.object(clock, "ask", later),
        mock.patch.object(clock, "better", moved_alone),
        mock.patch.object(clock, "_reading", shown),
    ):
        yield
