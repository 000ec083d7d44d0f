"""Flat combining: threads that want the same lock queue, and whoever gets it works for all of them.

Where one transaction costs about what ten cost, ten threads together are nearly as quick as one; there is no thread of
its own, and a thread that is alone waits for nobody.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import connection, transaction

from orchestration import sql

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")


class _Ticket(Generic[Item]):
    __slots__ = ("item", "served")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.served = threading.Event()


class Combiner(Generic[Item]):
    """`serve` gets whoever queued; it leaves its answers, errors too, on the items. `lanes`: so many at a time."""

    def __init__(self, serve: Callable[[Sequence[Item]], None], *, lanes: int = 1) -> None:
        self._serve = serve
        self._lanes = threading.Semaphore(lanes)
        self._queue: list[_Ticket[Item]] = []
        self._mutex = threading.Lock()

    def submit(self, item: Item) -> None:
        """Returns once the item has been served."""
        mine = _Ticket(item)
        with self._mutex:
            self._queue.append(mine)
        with self._lanes:
            tickets = self._everybody_with(mine)
            try:
                if tickets:
                    self._serve([ticket.item for ticket in tickets])
            finally:
                for ticket in tickets:
                    ticket.served.set()
        mine.served.wait()

    def _everybody_with(self, mine: _Ticket[Item]) -> list[_Ticket[Item]]:
        """Who waits, if this one still does."""
        with self._mutex:
            if mine not in self._queue:
                return []
            tickets, self._queue = self._queue, []
            return tickets


class _Work(Generic[Result]):
    def __init__(self, do: Callable[[], Result]) -> None:
        self.do = do
        self.result: Result
        self.error: Exception | None = None


def _all_of(works: Sequence[_Work[object]]) -> None:
    """In one transaction; if that fails, each in its own, so that one's error is nobody else's."""
    try:
        with sql.writing():
            for work in works:
                work.result = work.do()
    except Exception:
        if len(works) > 1:
            log.debug("a transaction for %d threads failed; each goes alone", len(works), exc_info=True)
        for work in works:
            _alone(work)


def _alone(work: _Work[object]) -> None:
    try:
        with sql.writing():
            work.result = work.do()
    except Exception as error:  # noqa: BLE001 - the thread whose work it is gets it
        work.error = error


_combiner: Combiner[_Work[object]] = Combiner(_all_of)


def together(do: Callable[[], Result]) -> Result:
    """Do it in a transaction; on SQLite, which has one writer, in one with what other threads want done.

    `do` may be called twice, the first time without effect. It must use nothing of its thread but the database.
    """
    if connection.features.has_select_for_update or connection.in_atomic_block:
        with transaction.atomic():
            return do()
    work = _Work(do)
    _combiner.submit(work)  # type: ignore[arg-type]
    if work.error is not None:
        raise work.error
    return work.result
