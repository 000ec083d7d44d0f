"""A thread that does one thing again and again: each second or so by itself, at once when it is woken.

It needs no broker, shares no place with the steps' actions, and whatever fails in it is tried again; that it fails is
told on the worker's row.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from django.db import connections

from orchestration.clock import now
from orchestration.outages import AWAY, heal

log = logging.getLogger(__name__)

SPREAD = 0.25
"""How far a pause is from the given one, at random: the workers of a site do not all ask at once."""

KEEP_CONNECTION_SECONDS = 10.0
"""Whoever pauses longer opens its connection anew."""

Act = Callable[[], object]


class Health:
    """Whether a service works: since when it fails, and why."""

    def __init__(self) -> None:
        self.since, self.error, self.begun_anew = "", "", 0

    def fails(self, error: BaseException) -> bool:
        """True the first time."""
        first = not self.since
        if first:
            self.since = now().isoformat(timespec="seconds")
        self.error = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        return first

    def works(self) -> None:
        self.since = self.error = ""

    def told(self) -> dict[str, object]:
        """{} when all is well."""
        told: dict[str, object] = {"since": self.since, "error": self.error} if self.since else {}
        return told | ({"begun_anew": self.begun_anew} if self.begun_anew else {})


class Service(threading.Thread):
    """`act` does it once; when it gives a number, that is in how many seconds it has to be done again at the latest."""

    def __init__(self, name: str, act: Act, *, every: float, stopping: threading.Event, health: Health) -> None:
        super().__init__(name=name, daemon=True)
        self.act, self.every, self.stopping, self.health = act, every, stopping, health
        self.woken = threading.Event()

    def wake(self) -> None:
        self.woken.set()

    def run(self) -> None:
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
        try:
            wanted = self._done()
        except Exception as error:
            if self.health.fails(error):
                log.warning("%s fails, and is tried again", self.name, exc_info=not isinstance(error, AWAY))
            heal()
            return min(pause, 1.0)
        self.health.works()
        return max(0.0, min(pause, wanted)) if isinstance(wanted, float) else pause

    def _done(self) -> object:
        """A connection that turns out to be broken costs no pause: once more on another."""
        try:
            return self.act()
        except AWAY:
            heal()
            return self.act()
