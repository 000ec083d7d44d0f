"""Circuit breakers, by name: what keeps failing is left alone for a while, and whoever wants it waits (per process).

Our own, because pybreaker holds its lock during the call, which lets one call at a time through to a host (ADR 3).
"""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict

FAILURES = 10
RESET_SECONDS = 15.0
LONGEST_RESET_SECONDS = 120.0
"""Each trial that fails doubles the time until the next one, up to this: what is parked for long writes few rows."""
TRIAL_SECONDS = 60.0
"""A trial call that has not ended after so long lets the next one go."""
MOST = 1000
"""Breakers kept; the one that was not asked for the longest time is forgotten, and so closed."""


class Breaker:
    """Closed until FAILURES calls in a row failed; then open for RESET_SECONDS, and longer after each trial that fails;
    then half-open: one trial at a time.

    A trial that is answered closes it, one that fails opens it again. `enter` before each call, `leave` after it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = self._failed_trials = 0
        self._open_until = 0.0
        self._trial_until = 0.0
        self.last_failure: tuple[str, int | None] = ("", None)
        """The error and the HTTP status of the last call that failed, for whoever is kept back because of it."""

    def enter(self) -> tuple[float, bool]:
        """Seconds to wait, 0 when the call may be made; and whether that call is the trial.

        The wait ends soon after the next trial may begin, at a moment of chance, so that not all come at once.
        """
        with self._lock:
            moment = time.monotonic()
            if self._failures < FAILURES:
                return 0.0, False
            if moment >= max(self._open_until, self._trial_until):
                self._trial_until = moment + TRIAL_SECONDS
                return 0.0, True
            left = max(self._open_until - moment, RESET_SECONDS / 5)
            return left + random.uniform(0, self._reset_seconds() / 3), False  # noqa: S311 - it spreads load, it keeps no secret

    def leave(self, *, failed: bool | None, trial: bool) -> None:
        """`failed`: None when the call says nothing about the other side, such as one that could not be built."""
        with self._lock:
            if failed is False:
                self._failures, self._failed_trials, self._trial_until = 0, 0, 0.0
                return
            if failed and self._failures < FAILURES:
                self._failures += 1
                trial = self._failures == FAILURES
            elif failed and trial:
                self._failed_trials += 1
            if trial:
                self._trial_until = 0.0
                self._open_until = time.monotonic() + self._reset_seconds() if failed else self._open_until

    def _reset_seconds(self) -> float:
        longest = max(RESET_SECONDS, LONGEST_RESET_SECONDS)
        return float(min(RESET_SECONDS * 2.0 ** min(self._failed_trials, 10), longest))

    @property
    def state(self) -> str:
        """Closed, open or half-open."""
        with self._lock:
            if self._failures < FAILURES:
                return "closed"
            return "open" if time.monotonic() < self._open_until else "half-open"


_breakers: OrderedDict[str, Breaker] = OrderedDict()
_lock = threading.Lock()


def breaker_of(name: str) -> Breaker:
    """The breaker of this name; a new one is closed."""
    with _lock:
        breaker = _breakers.setdefault(name, Breaker())
        _breakers.move_to_end(name)
        if len(_breakers) > MOST:
            _breakers.popitem(last=False)
        return breaker


def states() -> dict[str, str]:
    """Breaker → closed, open or half-open."""
    with _lock:
        return {name: breaker.state for name, breaker in _breakers.items()}


def reset() -> None:
    """Forget all breakers."""
    with _lock:
        _breakers.clear()
