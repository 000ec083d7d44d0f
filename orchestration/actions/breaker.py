"""A circuit breaker per host: a peer that keeps failing is left alone for a while (per process).

Our own, because pybreaker holds its lock during the call, which lets one call at a time through to a host.
"""

from __future__ import annotations

import threading
import time

FAILURES = 10
RESET_SECONDS = 15.0


class Breaker:
    """Closed until FAILURES calls in a row failed; then open for RESET_SECONDS; then one call may try."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def seconds_to_wait(self) -> float:
        """0 when a call may be made. The first to ask after the pause gets through, the others wait on."""
        with self._lock:
            moment = time.monotonic()
            if self._failures < FAILURES:
                return 0.0
            if moment < self._open_until:
                return self._open_until - moment
            self._open_until = moment + RESET_SECONDS
            return 0.0

    def record(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures == FAILURES:
                self._open_until = time.monotonic() + RESET_SECONDS

    @property
    def state(self) -> str:
        with self._lock:
            if self._failures < FAILURES:
                return "closed"
            return "open" if time.monotonic() < self._open_until else "half-open"


_breakers: dict[str, Breaker] = {}
_lock = threading.Lock()


def breaker_of(host: str) -> Breaker:
    """The breaker of a host:port."""
    with _lock:
        return _breakers.setdefault(host, Breaker())


def states() -> dict[str, str]:
    """host:port → closed, open or half-open."""
    with _lock:
        return {host: breaker.state for host, breaker in _breakers.items()}


def reset() -> None:
    with _lock:
        _breakers.clear()
