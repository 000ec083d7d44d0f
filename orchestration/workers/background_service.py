"""A thread that does one thing again and again: each second or so by itself, at once when it is woken.

It needs no broker and shares no thread with actions. What fails in it is tried again; that it fails is told on the
worker's row.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import connections

from foundation.clock import now
from foundation.db.outages import AWAY, heal, traceback_of
from foundation.guarded import guarded

log = logging.getLogger(__name__)

SPREAD = 0.25
"""How far a pause is from the given one, at random: the workers of a site do not all ask at once."""

KEEP_CONNECTION_SECONDS = 10.0
"""A service that pauses longer opens its connection anew."""

Act = Callable[[], object]


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failed:
    """What `Health.guarded` gives for an error."""

    error: Exception


class Health:
    """Whether a service works: since when it fails, and why."""

    def __init__(self) -> None:
        self.since, self.error, self.begun_anew = "", "", 0

    def fails(self, error: BaseException) -> bool:
        """Note a failure; True if it is the first since the service worked."""
        first = not self.since
        if first:
            self.since = now().isoformat(timespec="seconds")
        self.error = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        return first

    def works(self) -> None:
        """Note that the service works."""
        self.since = self.error = ""

    def guarded(self, do: Callable[[], Result], name: str) -> Result | Failed:
        """Do it once more in a thread's loop: an error is told and noted, and the connection healed."""
        done = guarded(do, Failed)
        if not isinstance(done, Failed):
            self.works()
            return done
        if self.fails(done.error):
            log.warning("%s fails, and is tried again", name, exc_info=traceback_of(done.error))
        heal()
        return done

    def told(self) -> dict[str, object]:
        """For the worker's row: {"since", "error", "begun_anew"} as far as they apply; {} when all is well."""
        told: dict[str, object] = {"since": self.since, "error": self.error} if self.since else {}
        return told | ({"begun_anew": self.begun_anew} if self.begun_anew else {})


class Service(threading.Thread):
    """Calls `act` about every `every` seconds.

    If `act` returns a number of seconds, it is called again after that at most.
    """

    def __init__(self, name: str, act: Act, *, every: float, stopping: threading.Event, health: Health) -> None:
        super().__init__(name=name, daemon=True)
        self.act, self.every, self.stopping, self.health = act, every, stopping, health
        self.woken = threading.Event()

    def wake(self) -> None:
        """Have it call `act` at once."""
        self.woken.set()

    def run(self) -> None:
        """The thread's loop, until `stopping` is set."""
        try:
            while not self.stopping.is_set():
                self.woken.clear()
                pause = self._once()
                if pause > KEEP_CONNECTION_SECONDS:
                    connections.close_all()
                self.woken.wait(pause)
        finally:
            connections.close_all()

    def _once(self) -> float:
        """Seconds until the next time."""
        pause = self.every * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - no secret
        wanted = self.health.guarded(self._done, self.name)
        if isinstance(wanted, Failed):
            return min(pause, 1.0)
        return max(0.0, min(pause, wanted)) if isinstance(wanted, float) else pause

    def _done(self) -> object:
        """A connection that turns out to be broken costs no pause: once more on another."""
        try:
            return self.act()
        except AWAY:
            heal()
            return self.act()
