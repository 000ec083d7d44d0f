"""Compiled patterns, kept while they are small enough together."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from pydantic_core import SchemaValidator

MOST_KEPT, LARGEST_KEPT = 512, 200_000
"""How many, and how large together (`foundation.validation.pattern_size`): about 25 MB."""


class KeptPatterns:
    """Those that were kept last. For several threads at once."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._kept: OrderedDict[str, tuple[SchemaValidator | None, int]] = OrderedDict()
        self._size, self._lock = 0, Lock()

    def find(self, pattern: str) -> tuple[SchemaValidator | None] | None:
        """What was kept of it, in a tuple; None where nothing is."""
        with self._lock:
            found = self._kept.get(pattern)
            if found is None:
                return None
            self._kept.move_to_end(pattern)
            return (found[0],)

    def keep(self, pattern: str, compiled: SchemaValidator | None, size: int) -> None:
        """Keep it, and let go of those that were not asked for the longest."""
        with self._lock:
            self._size += size - self._kept.pop(pattern, (None, 0))[1]
            self._kept[pattern] = compiled, size
            while len(self._kept) > MOST_KEPT or self._size > LARGEST_KEPT:
                self._size -= self._kept.popitem(last=False)[1][1]
