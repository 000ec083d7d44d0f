"""One attempt is in flight once in a process: a second call for it waits, and gets the same answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from typing import Generic, TypeVar

from foundation.guarded import settle

Answer = TypeVar("Answer")


class SharedAttempts(Generic[Answer]):
    """Calls in flight by name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, Future[Answer]] = {}

    def run(self, name: Hashable, work: Callable[[], Answer]) -> Answer:
        """What `work` returns or raises; that of the call in flight under this name, when there is one."""
        with self._lock:
            found = self._running.get(name)
            mine: Future[Answer] = found or self._running.setdefault(name, Future())
        if found is not None:
            return found.result()
        settle(mine, work, before=partial(self._forget, name))
        return mine.result()

    def _forget(self, name: Hashable) -> None:
        with self._lock:
            del self._running[name]
