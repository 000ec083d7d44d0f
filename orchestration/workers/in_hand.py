"""Which claimed commands the threads of this process hold.

What is claimed under the process's name and held by no thread is lost, and is freed: a claim whose COMMIT was never
answered leaves such a row.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from foundation.clock import ticks

Key = tuple[int, int]
"""A command's id and the epoch of the claim."""


class InHand:
    """The claims of this process, by command and epoch. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Key] = set()
        self._begun: set[Key] = set()
        self._claiming: dict[object, float] = {}
        self._unknown: dict[Key, float] = {}

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Around a transaction that claims, until the rows that it returned are `taken`."""
        token = object()
        with self._lock:
            self._claiming[token] = ticks()
        try:
            yield
        finally:
            with self._lock:
                del self._claiming[token]

    def taken(self, keys: Iterable[Key]) -> None:
        """These claims were given to threads."""
        found = set(keys)
        with self._lock:
            self._held |= found
            self._begun |= found

    def done(self, key: Key) -> None:
        """Its row has its end, or is ready again."""
        with self._lock:
            self._held.discard(key)
            self._begun.discard(key)

    def lost(self, key: Key) -> None:
        """A thread gave it up without writing its row: it may have been performed, and is freed at the next renewal."""
        with self._lock:
            self._held.discard(key)

    @contextmanager
    def all_or_lost(self, keys: Iterable[Key]) -> Iterator[None]:
        """When the block is broken off by any error, or by the end of its thread, these claims count as lost."""
        with ExitStack() as broken_off:
            for key in keys:
                broken_off.callback(self.lost, key)
            yield
            broken_off.pop_all()

    def unheld(self, found: Iterable[Key], at: float) -> list[tuple[Key, bool]]:
        """Which of the rows that are claimed under our name have to be freed, and whether a thread had begun them.

        Only rows that an earlier call found unheld too, and only if every claiming transaction that was open at that
        call has ended: a row may be on its way to a thread. `at`: the ticks before the rows were read.
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
