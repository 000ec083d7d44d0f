"""How much is done in one transaction: as much as takes about a tenth of a second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

FIRST, MOST = 20, 500
LONG, SHORT = 0.25, 0.05
"""Seconds: after a longer batch the next is half as large, after a shorter one half as large again."""


@dataclass(slots=True)
class Pace:
    """`batch`: how many are to be done next."""

    batch: int = field(default_factory=lambda: FIRST)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time a batch, and size the next one by it."""
        began = time.monotonic()
        yield
        self.took(time.monotonic() - began)

    def took(self, seconds: float) -> None:
        """The last batch took so long."""
        if seconds > LONG:
            self.batch = max(1, self.batch // 2)
        elif seconds < SHORT:
            self.batch = min(MOST, self.batch + self.batch // 2 + 1)
