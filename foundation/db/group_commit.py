"""Flat combining: threads that want the same lock queue, and the one that gets it works for all of them.

Where one transaction costs about what ten cost, ten threads together are nearly as quick as one; there is no thread of
its own, and a thread that is alone waits for nobody. In the glossary this is group commit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import connection, transaction

from foundation.db import statements
from foundation.guarded import guarded

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")


class _Ticket(Generic[Item]):
    __slots__ = ("item", "served")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.served = threading.Event()


class GroupCommit(Generic[Item]):
    """A queue that threads submit items to, served together.

    `serve` gets all items that wait, and leaves its answers on them, errors too. `lanes`: how many threads serve at a
    time.
    """

    def __init__(self, serve: Callable[[Sequence[Item]], None], *, lanes: int = 1) -> None:
        self._serve = serve
        self._lanes = threading.Semaphore(lanes)
        self._queue: list[_Ticket[Item]] = []
        self._mutex = threading.Lock()

    def submit(self, item: Item) -> None:
        """Queue an item; returns once it has been served, by this thread or another."""
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
    """In one transaction; if that fails, each in its own, so that an error of one reaches no other."""
    try:
        with statements.writing():
            for work in works:
                work.result = work.do()
    except Exception:  # one item's error must not spoil the others: each is done again alone, and gets its own
        if len(works) > 1:
            log.debug("a transaction for %d threads failed; each goes alone", len(works), exc_info=True)
        for work in works:
            _alone(work)


def _alone(work: _Work[object]) -> None:
    def do() -> None:
        with statements.writing():
            work.result = work.do()

    work.error = guarded(do, lambda error: error)


_combiner: GroupCommit[_Work[object]] = GroupCommit(_all_of)


def in_group_commit(do: Callable[[], Result]) -> Result:
    """Do it in a transaction; on SQLite, which has one writer, in one that other waiting threads share.

    If the shared transaction fails, each is done again in one of its own: `do` may be called twice, the first time
    without effect. It must use nothing of its thread but the database. Returns what `do` returns, and raises what it
    raises.
    """
    if connection.features.has_select_for_update or connection.in_atomic_block:
        with transaction.atomic():
            return do()
    work = _Work(do)
    _combiner.submit(work)  # type: ignore[arg-type]
    if work.error is not None:
        raise work.error
    return work.result
