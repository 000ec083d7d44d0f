"""An answer that takes a while is made once and is for all who ask within some seconds, by one of them at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """Calls `make` for whoever asks; the answer is good for `seconds`, if it took longer than `slow` to make."""

    def __init__(self, make: Callable[[], Answer], *, seconds: float, slow: float = 0.0) -> None:
        self._make, self._seconds, self._slow = make, seconds, slow
        self._making = threading.Lock()
        self._kept: tuple[float, Answer] | None = None

    def get(self) -> Answer:
        """The answer; made anew if there is none that is good. Raises what `make` raises."""
        with self._making:
            began = time.monotonic()
            if self._kept is not None and self._kept[0] > began:
                return self._kept[1]
            made = self._make()
            over = time.monotonic()
            self._kept = (over + self._seconds, made) if over - began > self._slow else None
            return made

    def forget(self) -> None:
        """Keep nothing of what was made."""
        self._kept = None
