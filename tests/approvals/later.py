"""The time it will be, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import time_machine

from notifications import clock


@contextmanager
def after(**span: float) -> Iterator[None]:
    """What asks our clock sees it so much later. PostgreSQL's own clock cannot be moved: what asks it sees the same."""
    reading, moved = clock._reading, timedelta(**span)
    if reading is None:
        with time_machine.travel(clock.now() + moved, tick=True):
            yield
        return
    later = replace(reading, shown=reading.shown + moved)
    with mock.patch.object(clock, "_reading", later), mock.patch.object(clock, "read"):
        yield
