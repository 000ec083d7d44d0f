"""Which claimed commands the threads of this process hold: what is claimed under its name and held by none is lost.

A claim whose COMMIT was answered by nobody is such a one: the row says that this worker performs it, and no thread
knows of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from notifications.clock import ticks

Key = tuple[int, int]
"""A command's id and the epoch of the claim."""


class InHand:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Key] = set()
        self._begun: set[Key] = set()
        self._claiming: dict[object, float] = {}
        self._unknown: dict[Key, float] = {}

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Around a transaction that claims, until what it gave is `taken`."""
        token = object()
        with self._lock:
            self._claiming[token] = ticks()
        try:
            yield
        finally:
            with self._lock:
                del self._claiming[token]

    def taken(self, keys: Iterable[Key]) -> None:
        found = set(keys)
        with self._lock:
            self._held |= found
            self._begun |= found

    def done(self, key: Key) -> None:
        """Its row says how it ended, or that it is ready again."""
        with self._lock:
            self._held.discard(key)
            self._begun.discard(key)

    def lost(self, key: Key) -> None:
        """Given up without a word on its row: it may have been performed."""
        with self._lock:
            self._held.discard(key)

    @contextmanager
    def all_or_lost(self, keys: Iterable[Key]) -> Iterator[None]:
        """Whatever breaks off the block, and be it the end of its thread, none of these is held by nobody for good."""
        given = list(keys)
        try:
            yield
        except BaseException:
            for key in given:
                self.lost(key)
            raise

    def unheld(self, found: Iterable[Key], at: float) -> list[tuple[Key, bool]]:
        """Which of the rows that are claimed under our name are to be freed, and whether a thread had begun them.

        Only what was seen so at an earlier look, and no transaction that was open at that look is open still: its
        rows may be on their way to a thread. `at`: the ticks of before the rows were read.
        """
        with self._lock:
            unknown = {key: self._unknown.get(key, at) for key in found if key not in self._held}
            self._unknown = unknown
            oldest = min(self._claiming.values(), default=float("inf"))
            free = [key for key, seen in unknown.items() if seen < at and oldest > seen]
            answer = [(key, key in self._begun) for key in free]
            self._begun -= set(free)
            return answer


IN_HAND = InHand()
