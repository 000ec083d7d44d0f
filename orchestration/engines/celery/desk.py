"""The desk of a worker process: threads hand in what they performed and get the next command, many in one transaction.

A thread that finds the desk free serves everybody who queued meanwhile (flat combining), so the busier a worker is,
the fewer transactions a step costs; a worker with one thread pays one transaction a step.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestration import sql
from orchestration.clock import now
from orchestration.core.events import Event
from orchestration.effects import Ended, store_ends
from orchestration.engines.celery import bell, claims
from orchestration.engines.celery.advance import Fold
from orchestration.models import Command

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A claimed command that was performed: what goes on its row, and the event for its run."""

    row: Command
    ended: Ended | None
    event: Event


@dataclass(slots=True, kw_only=True)
class Slip:
    """What one thread brings (`done`) and gets (`next`, when it `wants`); `more`: there is work left for others."""

    worker: str
    done: Done | None
    wants: bool
    next: Command | None = None
    served: bool = False
    more: bool = False
    error: Exception | None = None


_queue: list[Slip] = []
_serving = threading.Lock()


def exchange(worker: str, done: Done | None, *, wants: bool = True) -> Command | None:
    """Hand in what was performed, get the next command. Raises when this thread's own result could not be written."""
    slip = Slip(worker=worker, done=done, wants=wants)
    _queue.append(slip)
    with _serving:
        if not slip.served:
            _serve(_everybody(slip))
    if slip.more:
        bell.ring()
    if slip.error is not None:
        raise slip.error
    return slip.next


def _everybody(me: Slip) -> list[Slip]:
    slips = _queue[:]
    del _queue[: len(slips)]
    return slips if me in slips else [*slips, me]  # a thread that was interrupted while it served may have taken mine


def _serve(slips: Sequence[Slip]) -> None:
    try:
        _settle(slips)
    except Exception as error:  # noqa: BLE001 - whatever it is, the thread whose result it was gets it
        if len(slips) > 1:  # one result that cannot be written must not spoil the others: each on its own
            for slip in slips:
                _serve([slip])
            return
        slips[0].error = error
    for slip in slips:
        slip.served = True


def _settle(slips: Sequence[Slip]) -> None:
    done = [slip.done for slip in slips if slip.done is not None]
    hungry = [slip for slip in slips if slip.wants]
    if not done and not claims.anything_due(now()):
        return
    with sql.writing():
        left = _fold(done) if done else 0
        taken = list(_claim(hungry))
    for slip, row in taken:
        slip.next = row
    slips[0].more = left > len(taken)


def _fold(done: Sequence[Done]) -> int:
    """Store ends and advance runs; a result whose epoch is stale is refused. The runs' rows are locked first."""
    fold = Fold.of(one.row.run_id for one in done)
    written = store_ends([(one.row, one.ended, one.event.at) for one in done])
    for one in done:
        if one.row.pk in written:
            fold.add(one.row.run_id, one.event)
        else:
            log.warning("refused a late result of %s: its lease had passed to another worker", one.row)
    return fold.write()


def _claim(hungry: Sequence[Slip]) -> Iterator[tuple[Slip, Command]]:
    """Commands for those who want one, under each one's own worker name (a process has one; a test may have more)."""
    by_worker = defaultdict[str, list[Slip]](list)
    for slip in hungry:
        by_worker[slip.worker].append(slip)
    for worker, slips in by_worker.items():
        yield from zip(slips, claims.claim(worker, now(), len(slips)), strict=False)
