"""Send what is due: several at once in threads that touch no row, while this one claims and writes the ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from foundation.clock import ticks
from foundation.db.outages import AWAY, heal
from foundation.guarded import guarded, logged

log = logging.getLogger(__name__)
Row = TypeVar("Row")
Result = TypeVar("Result")

KEEP_SECONDS = 10.0
"""How often claims are kept. Leases are so long that several tries may fail before one ends."""


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Row, Result]):
    """One kind of row.

    `claim`: up to so many rows, taken. `begin`: what sends one, to be called in a thread without a database; None when
    there is nothing to send, and its end is written already. `finish`: writes down what came of it. `broke`: puts off,
    with a wait, what raised in `begin` or in what that returned: a bug of ours. `keep`: makes the leases of these rows
    longer, called every KEEP_SECONDS until their end is written. `look`: called at the beginning and at least every
    `look_seconds` while something is on its way.
    """

    name: str
    claim: Callable[[int], Sequence[Row]]
    begin: Callable[[Row], Callable[[], Result] | None]
    finish: Callable[[Row, Result], object]
    broke: Callable[[Row, Exception], object]
    keep: Callable[[Sequence[Row]], object]
    look: Callable[[], None] = _nothing
    look_seconds: float | None = None


def work_through(kind: Kind[Row, Result], *, limit: int, at_once: int) -> int:
    """Attempt up to `limit` rows, `at_once` at a time; returns how many. Any number of workers may do it at once.

    An error of one row is logged, and the others go on. If the loop itself breaks, the ends of what is being sent are
    written all the same: an attempt whose end is not stored would be made again.
    """
    kind.look()
    begun = 0
    with ThreadPoolExecutor(at_once, thread_name_prefix=kind.name) as pool:
        hand = _Hand(kind, pool)
        try:
            while True:
                room = min(at_once - len(hand.flying), limit - begun)
                taken = kind.claim(room) if room > 0 else []
                begun += len(taken)
                hand.begin(taken)
                if hand.flying:
                    ended = hand.wait()
                    kind.look()
                    hand.end(ended)
                elif not taken:
                    return begun
        finally:
            while hand.flying:
                hand.end(hand.wait())


class _Hand(Generic[Row, Result]):
    """What this process has claimed and not ended. Its claims are kept until then, however long an attempt takes."""

    def __init__(self, kind: Kind[Row, Result], pool: ThreadPoolExecutor) -> None:
        self.kind, self.pool = kind, pool
        self.flying: dict[Future[Result], Row] = {}
        self._kept_at = ticks()

    def begin(self, rows: Iterable[Row]) -> None:
        waiting = list(rows)
        while waiting:
            self._keep(waiting)
            row = waiting.pop(0)
            if (send := self._begun(row)) is not None:
                self.flying[self.pool.submit(send)] = row

    def wait(self) -> set[Future[Result]]:
        """Those that have ended, once one has, or it is time to look; perhaps none."""
        seconds = min(self.kind.look_seconds or KEEP_SECONDS, KEEP_SECONDS)
        ended, _ = wait(self.flying, timeout=seconds, return_when=FIRST_COMPLETED)
        self._keep()
        return ended

    def end(self, futures: Iterable[Future[Result]]) -> None:
        for future in futures:
            self._keep()
            row = self.flying.pop(future)
            told = logged(log, "how %s %s went could not be stored; it is tried again", self.kind.name, row)
            guarded(partial(self._store, row, future), told)

    def _keep(self, waiting: Sequence[Row] = ()) -> None:
        rows = [*self.flying.values(), *waiting]
        if rows and ticks() - self._kept_at >= KEEP_SECONDS:
            self._kept_at = ticks()
            guarded(partial(self.kind.keep, rows), self._not_kept)

    def _not_kept(self, error: Exception) -> None:
        log.warning("claims of a %s were not kept; it is tried again: %s", self.kind.name, error)
        if isinstance(error, AWAY):
            heal()

    def _begun(self, row: Row) -> Callable[[], Result] | None:
        return guarded(partial(self.kind.begin, row), partial(self._broke, row))

    def _store(self, row: Row, future: Future[Result]) -> None:
        error = future.exception()
        if isinstance(error, Exception):
            self._broke(row, error)
        else:
            self.kind.finish(row, future.result())

    def _broke(self, row: Row, error: Exception) -> None:
        logged(log, "%s %s could not be sent; it is tried again", self.kind.name, row)(error)
        if isinstance(error, AWAY):
            heal()
        told = logged(log, "%s %s could not be put off; it is tried again", self.kind.name, row)
        guarded(partial(self.kind.broke, row, error), told)
