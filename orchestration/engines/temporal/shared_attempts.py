"""One attempt is in flight once in a process: whoever comes for it meanwhile waits, and takes what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedAttempts(Generic[Answer]):
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
        try:
            answer = work()
        except BaseException as error:
            with self._lock:
                del self._running[name]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._running[name]
        mine.set_result(answer)
        return answer
