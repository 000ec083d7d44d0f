"""The desk of a worker process: threads hand in what they performed and get the next command, many in one transaction.

The busier a worker is, the fewer transactions a step costs; a worker with one thread pays one a step.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import OperationalError, connection

from orchestration import sql
from orchestration.clock import now
from orchestration.combining import Combiner
from orchestration.core.events import Event
from orchestration.core.queues import DEFAULT
from orchestration.effects import Ended, ends_of
from orchestration.engines.celery import bell, claims, turns
from orchestration.engines.celery.advance import Fold, lock
from orchestration.engines.celery.inhand import IN_HAND
from orchestration.models import Command
from orchestration.outages import AWAY, heal, outlast

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A claimed command that was performed: what goes on its row, and the event for its run."""

    row: Command
    ended: Ended | None
    event: Event


@dataclass(slots=True, kw_only=True)
class Slip:
    """What one thread brings (`done`) and gets (`next`, when it `wants` one of `queue`).

    `more`: how many commands of each queue have become ready besides, for others.
    """

    worker: str
    done: Done | None
    wants: bool
    queue: str = DEFAULT
    next: Command | None = None
    more: Counter[str] = field(default_factory=Counter)
    error: Exception | None = None


def exchange(worker: str, done: Done | None, *, wants: bool = True, queue: str = DEFAULT) -> Command | None:
    """Hand in what was performed, get the next command of the queue.

    A known result waits for a database that is away: another worker may not perform it as long as the claim is ours.
    Raises when this thread's own result could not be written.
    """
    slip = Slip(worker=worker, done=done, wants=wants, queue=queue)
    if done is None:
        _submit(slip)
    else:
        outlast(lambda: _submit(slip), what=f"the end of {done.row}")
        IN_HAND.done((done.row.pk, done.row.epoch))
    for name, count in slip.more.items():
        bell.ring_for(name, count)
    return slip.next


def hand_in(worker: str, ended: Sequence[Done]) -> None:
    """Several at once, such as timers that fired; an end that cannot be written is left to the worker's keeper."""
    slips = [Slip(worker=worker, done=done, wants=False) for done in ended]
    if slips:
        _serve(slips)
    for done, slip in zip(ended, slips, strict=True):
        key = (done.row.pk, done.row.epoch)
        if slip.error is None:
            IN_HAND.done(key)
        else:
            log.error("the end of %s could not be written", done.row, exc_info=slip.error)
            IN_HAND.lost(key)
    for name, count in sum((slip.more for slip in slips), Counter[str]()).items():
        bell.ring_for(name, count)


def _submit(slip: Slip) -> None:
    slip.error = OperationalError("the thread that wrote for this one broke off")  # until it is served
    _desk.submit(slip)
    if slip.error is not None:
        raise slip.error


def _serve(slips: Sequence[Slip]) -> None:
    """Everybody in one transaction; if that fails, once more on a sound connection, then each alone: one bad result
    must not spoil the others.
    """
    try:
        _settle(slips)
        for slip in slips:
            slip.error = None
        return
    except AWAY:
        heal()
    except Exception:
        log.warning("a transaction for %d threads failed; each goes alone", len(slips), exc_info=True)
    for slip in slips:
        slip.error = _settle_alone(slip)


def _settle_alone(slip: Slip) -> Exception | None:
    try:
        _settle([slip])
    except Exception as error:  # noqa: BLE001 - whatever it is, the thread whose result it was gets it
        heal()
        return error
    return None


def _settle(slips: Sequence[Slip]) -> None:
    done = [slip.done for slip in slips if slip.done is not None]
    hungry = defaultdict[tuple[str, str], list[Slip]](list)  # a process has one worker name; a test may have more
    for slip in slips:
        if slip.wants:
            hungry[slip.worker, slip.queue].append(slip)
    if not done and not any(claims.anything_due(queue, now()) for queue in {queue for _, queue in hungry}):
        return
    with IN_HAND.claiming():
        with sql.writing():
            fold = _folded(done) if done else Fold({})
            writing = fold.statements()
            moment = now()  # not from before the writer's place or the runs' rows were waited for
            claiming = [claims.claiming(name, queue, moment, len(them)) for (name, queue), them in hungry.items()]
            found = sql.rows_of(*writing, *claiming)[len(writing) :]
            fold.aftermath()
        _give(hungry, found)
    slips[0].more = _left(fold.ready, slips)


def _give(hungry: dict[tuple[str, str], list[Slip]], found: list[list[tuple[object, ...]]]) -> None:
    for ((worker, _), waiting), values in zip(hungry.items(), found, strict=True):
        rows = claims.commands_of(worker, values)
        IN_HAND.taken((row.pk, row.epoch) for row in rows)
        turns.taken(rows)
        for slip, row in zip(waiting, rows, strict=False):
            slip.next = row


def _left(ready: Counter[str], slips: Sequence[Slip]) -> Counter[str]:
    given = Counter(slip.next.queue for slip in slips if slip.next is not None)
    return ready - given


def _folded(done: Sequence[Done]) -> Fold:
    """Ends stored and events folded; a result whose epoch is stale is refused. The runs' rows are locked first."""
    ends = ends_of([(one.row, one.ended, one.event.at) for one in done])
    locked, *written = sql.rows_of(lock(one.row.run_id for one in done), *ends)
    fold = Fold.of_locked(locked)
    mine = {pk for rows in written for (pk,) in rows}
    for one in done:
        if one.row.pk in mine:
            fold.add(one.row.run_id, one.event)
        else:
            log.warning("refused a late result of %s: its lease had passed to another worker", one.row)
    return fold


def claim_timers(worker: str, most: int) -> list[Command]:
    """The timers that are due by the database's clock, at most so many, claimed."""
    moment = now()
    with IN_HAND.claiming():
        with sql.writing():
            (found,) = sql.rows_of(claims.claiming_timers(worker, moment, most))
        rows = claims.commands_of(worker, found)
        IN_HAND.taken((row.pk, row.epoch) for row in rows)
    return rows


_desk = Combiner(_serve, lanes=2 if connection.features.has_select_for_update else 1)
"""PostgreSQL works on one transaction while we prepare another; SQLite has one writer."""
