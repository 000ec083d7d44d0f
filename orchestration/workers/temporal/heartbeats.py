"""The worker's side of its heartbeats: a process beside it sends them (heartbeat_process.py).

That process is told when each activity begins and ends, and each second that the worker is alive. So a handler that
keeps the GIL, or a database that is locked, does not stop heartbeats; a worker that is killed or stopped does. If
heartbeats stop, Temporal starts a second attempt of the same action.
"""

from __future__ import annotations

import base64
import itertools
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections

from foundation.guarded import guarded
from orchestration.engines.temporal import connection
from orchestration.models import Command
from orchestration.workers.helper_process import HelperProcess, line
from orchestration.workers.temporal.heartbeat_sending import BEAT_SECONDS, Beats

log = logging.getLogger(__name__)

STALL_SECONDS = 2.0
AFTER_STALL_SECONDS = 60.0
"""So long after a pause of the whole process what the server gave it may have been given to another since."""

RETRY_SECONDS = 10.0
"""After a heartbeat process that could not be started."""


@dataclass(frozen=True, eq=False)
class Flight:
    """An activity in flight.

    `row_id`: set once the attempt is claimed; `cancelled`: set when its result is not wanted.
    """

    number: int
    token: bytes
    until: float
    cancelled: threading.Event = field(default_factory=threading.Event)
    row_id: list[int] = field(default_factory=list)

    def message(self) -> bytes:
        """The line that tells the heartbeat process that it begins."""
        token = base64.b64encode(self.token).decode()
        return line({"begin": self.number, "token": token, "limit": max(0.0, self.until - time.monotonic())})


class Helper(HelperProcess):
    """The heartbeat process."""

    def __init__(self) -> None:
        super().__init__("orchestration.workers.temporal.heartbeat_process")

    def begin(self, flights: list[Flight]) -> None:
        """Start it with all that is in flight. Raises OSError."""
        options = connection.options().as_json().encode() + b"\n"
        self.start([options, *(flight.message() for flight in flights)])


class Heartbeats:
    """All activities in flight in this process. `instead` sends heartbeats while there is no heartbeat process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.flights: dict[int, Flight] = {}
        self.helper = Helper()
        self.instead: Beats | None = None
        self.numbers = itertools.count(1)
        self.ticked = self.stalled = self.retry_at = 0.0
        self.threads: list[threading.Thread] = []
        self.pid = os.getpid()

    def start(self) -> None:
        """Start the process, so that the first activity does not wait for it."""
        with self.lock:
            self._ensure()

    def stop(self) -> None:
        """End the process when no activity is in flight; the next activity starts it again."""
        with self.lock:
            if not self.flights:
                self.helper.stop()
                self.instead = None

    def add(self, token: bytes, limit: float) -> Flight:
        """An activity begins.

        `limit`: seconds for which heartbeats go on although this process gives no sign of life.
        """
        with self.lock:
            flight = Flight(next(self.numbers), token, time.monotonic() + limit)
            self._ensure()
            self.flights[flight.number] = flight
            self._say(flight.message())
            return flight

    def remove(self, flight: Flight) -> None:
        """An activity has ended."""
        with self.lock:
            self.flights.pop(flight.number, None)
            self._say(line({"end": flight.number}))

    def was_stalled(self) -> bool:
        """Whether this process has stood still lately, so that Temporal may have given its activities to others."""
        now = time.monotonic()
        return now - self.ticked > STALL_SECONDS or (self.stalled > 0 and now - self.stalled < AFTER_STALL_SECONDS)

    def _ensure(self) -> None:
        if not self.helper.runs:
            self._start_helper()
        if not all(thread.is_alive() for thread in self.threads) or not self.threads:
            self.ticked = time.monotonic()
            works = {"heartbeat": self._tick_on, "cancellations": self._look_on}
            self.threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in works.items()]
            for thread in self.threads:
                thread.start()

    def _start_helper(self) -> None:
        now = time.monotonic()
        if self.instead is not None and now < self.retry_at:
            return
        try:
            self.helper.begin(list(self.flights.values()))
            self.instead = None
        except OSError:
            log.exception("the heartbeat process could not be started; this process beats itself")
            self.retry_at = now + RETRY_SECONDS
            self.instead = self.instead or Beats()
            for flight in self.flights.values():
                self.instead.take(json.loads(flight.message()))

    def _say(self, said: bytes) -> None:
        try:
            self.helper.say(said)
        except OSError:
            if self.helper.process is not None:
                log.warning("the heartbeat process is gone; starting it anew")
            self._start_helper()
        if self.instead is not None:
            self.instead.take(json.loads(said))

    def _tick_on(self) -> None:
        mine = threading.current_thread()
        while mine in self.threads:
            time.sleep(BEAT_SECONDS / 2)
            now = time.monotonic()
            if now - self.ticked > STALL_SECONDS:
                self.stalled = now
            self.ticked = now
            with self.lock:
                if self.flights or self.helper.runs:
                    self._say(b"{}\n")
                instead = self.instead
            if instead is not None and instead.due():
                self._beat_here(instead)

    def _beat_here(self, instead: Beats) -> None:
        async def send() -> None:
            await instead.send(await connection.client())

        def not_sent(error: Exception) -> None:  # this thread beats for all attempts, and nothing would start it again
            log.warning("heartbeats could not be sent; trying again", exc_info=error)

        guarded(lambda: connection.call(send()), not_sent)

    def _look_on(self) -> None:
        """A thread of its own: it waits for the database as long as that likes."""
        mine = threading.current_thread()
        while mine in self.threads:
            time.sleep(BEAT_SECONDS)
            with self.lock:
                flights = [flight for flight in self.flights.values() if flight.row_id]
            if flights:
                _look(flights)


def _look(flights: list[Flight]) -> None:
    """Ask the rows whether the runs still want the results."""
    wanted = Command.objects.filter(pk__in=[flight.row_id[0] for flight in flights], cancel_requested=True)
    try:
        unwanted = set(wanted.values_list("pk", flat=True))
    except DatabaseError:
        close_old_connections()
        return
    for flight in flights:
        if flight.row_id[0] in unwanted:
            flight.cancelled.set()


_heartbeats = Heartbeats()
_making = threading.Lock()


def heartbeats_here() -> Heartbeats:
    """This process's heartbeats, made anew after a fork."""
    global _heartbeats
    with _making:
        if _heartbeats.pid != os.getpid():
            _heartbeats = Heartbeats()
        return _heartbeats


@contextmanager
def beating(token: bytes, limit: float) -> Iterator[Flight]:
    """Send heartbeats for an activity while the block runs."""
    mine = heartbeats_here()
    flight = mine.add(token, limit)
    try:
        yield flight
    finally:
        mine.remove(flight)
