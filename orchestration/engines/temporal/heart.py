"""One thread beats for every action in flight in this process, and looks whether anybody still wants the results."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections
from temporalio import activity

from orchestration.models import Command

BEAT_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class _Flight:
    row_id: int
    context: contextvars.Context
    cancelled: threading.Event = field(default_factory=threading.Event)


_flights: set[_Flight] = set()
_lock = threading.Lock()
_thread: threading.Thread | None = None


@contextmanager
def beating(row_id: int) -> Iterator[threading.Event]:
    """While the block runs the activity heartbeats; the event is set when its result is not wanted any more."""
    flight = _Flight(row_id, contextvars.copy_context())
    with _lock:
        _flights.add(flight)
        _start()
    try:
        yield flight.cancelled
    finally:
        with _lock:
            _flights.discard(flight)


def _start() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_beat, name="heartbeat", daemon=True)
        _thread.start()


def _beat() -> None:
    pause = threading.Event()
    while not pause.wait(BEAT_SECONDS):
        with _lock:
            flights = list(_flights)
        for flight in flights:
            flight.context.run(activity.heartbeat)
        if flights:
            _look(flights)


def _look(flights: list[_Flight]) -> None:
    """A database that is away must not stop the beat: a silent heart would have the action repeated beside itself."""
    try:
        unwanted = set(
            Command.objects.filter(pk__in=[flight.row_id for flight in flights], cancel_requested=True).values_list(
                "pk", flat=True
            )
        )
    except DatabaseError:
        close_old_connections()
        return
    for flight in flights:
        if flight.row_id in unwanted:
            flight.cancelled.set()
