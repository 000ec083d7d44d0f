"""The exchange of a worker process: threads hand in results and get their next command, many in one transaction.

This is the group commit of `orchestration.engines`. A worker with one thread pays one transaction a step.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db import OperationalError, connection

from foundation.clock import now
from foundation.db import statements
from foundation.db.group_commit import GroupCommit
from foundation.db.outages import AWAY, heal, outlast
from foundation.guarded import guarded
from orchestration.core.queues import DEFAULT
from orchestration.core.saga.events import Event
from orchestration.engines.celery import claims, fair_queue, nudge
from orchestration.engines.celery.advance import Fold, lock
from orchestration.execution.attempt_result import AttemptResult, ends_of
from orchestration.models import Command
from orchestration.workers.in_hand import IN_HAND

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A claimed command that was performed: its result for its row, and the event for its run."""

    row: Command
    ended: AttemptResult | None
    event: Event


@dataclass(slots=True, kw_only=True)
class Submission:
    """What one thread hands in (`done`) and gets (`next`, when it `wants` a command of `queue`).

    `more`: how many commands of each queue have become ready besides, for other threads. `error`: why it failed.
    """

    worker: str
    done: Done | None
    wants: bool
    queue: str = DEFAULT
    next: Command | None = None
    more: Counter[str] = field(default_factory=Counter)
    error: Exception | None = None


def exchange(worker: str, done: Done | None, *, wants: bool = True, queue: str = DEFAULT) -> Command | None:
    """Hand in what was performed, and get the next command of the queue; None when none is ready.

    While the database is away the thread keeps its result and tries again: the claim is its own until the lease ends.

    Raises:
        Exception: this thread's own result could not be written, and the command has to be given back.
    """
    slip = Submission(worker=worker, done=done, wants=wants, queue=queue)
    if done is None:
        _submit(slip)
    else:
        outlast(lambda: _submit(slip), what=f"the end of {done.row}")
        IN_HAND.done((done.row.pk, done.row.epoch))
    for name, count in slip.more.items():
        nudge.nudge_queue(name, count)
    return slip.next


def submit_ends(worker: str, ended: Sequence[Done]) -> None:
    """Hand in several at once, such as timers that fired.

    One that cannot be written is freed at the lease's next renewal.
    """
    slips = [Submission(worker=worker, done=done, wants=False) for done in ended]
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
        nudge.nudge_queue(name, count)


def _submit(slip: Submission) -> None:
    slip.error = OperationalError("the thread that wrote for this one broke off")  # until it is served
    _desk.submit(slip)
    if slip.error is not None:
        raise slip.error


def _serve(slips: Sequence[Submission]) -> None:
    """All in one transaction; if that fails because the connection broke, once more, and then each alone.

    One bad result must not keep the others from being written.
    """
    try:
        _settle(slips)
        for slip in slips:
            slip.error = None
        return
    except AWAY:
        heal()
    except Exception:  # one item's error must not spoil the others: each goes alone, and its thread gets its own
        log.warning("a transaction for %d threads failed; each goes alone", len(slips), exc_info=True)
    for slip in slips:
        slip.error = _settle_alone(slip)


def _settle_alone(slip: Submission) -> Exception | None:
    error = guarded(partial(_settle, [slip]), lambda error: error)
    if error is not None:
        heal()
    return error


def _settle(slips: Sequence[Submission]) -> None:
    done = [slip.done for slip in slips if slip.done is not None]
    hungry = defaultdict[tuple[str, str], list[Submission]](list)  # a process has one worker name; a test may have more
    for slip in slips:
        if slip.wants:
            hungry[slip.worker, slip.queue].append(slip)
    if not done and not any(claims.anything_due(queue, now()) for queue in {queue for _, queue in hungry}):
        return
    with IN_HAND.claiming():
        with statements.writing():
            fold = _folded(done) if done else Fold({})
            writing = fold.statements()
            moment = now()  # not from before the writer's place or the runs' rows were waited for
            claiming = [claims.claiming(name, queue, moment, len(them)) for (name, queue), them in hungry.items()]
            found = statements.rows_of(*writing, *claiming)[len(writing) :]
            fold.aftermath()
        _give(hungry, found)
    slips[0].more = _left(fold.ready, slips)


def _give(hungry: dict[tuple[str, str], list[Submission]], found: list[list[tuple[object, ...]]]) -> None:
    for ((worker, _), waiting), values in zip(hungry.items(), found, strict=True):
        rows = claims.commands_of(worker, values)
        IN_HAND.taken((row.pk, row.epoch) for row in rows)
        fair_queue.taken(rows)
        for slip, row in zip(waiting, rows, strict=False):
            slip.next = row


def _left(ready: Counter[str], slips: Sequence[Submission]) -> Counter[str]:
    given = Counter(slip.next.queue for slip in slips if slip.next is not None)
    return ready - given


def _folded(done: Sequence[Done]) -> Fold:
    """Ends stored and events folded; a result whose epoch is stale is refused. The runs' rows are locked first."""
    ends = ends_of([(one.row, one.ended, one.event.at) for one in done])
    locked, *written = statements.rows_of(lock(one.row.run_id for one in done), *ends)
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
        with statements.writing():
            (found,) = statements.rows_of(claims.claiming_timers(worker, moment, most))
        rows = claims.commands_of(worker, found)
        IN_HAND.taken((row.pk, row.epoch) for row in rows)
    return rows


_desk = GroupCommit(_serve, lanes=2 if connection.features.has_select_for_update else 1)
"""PostgreSQL works on one transaction while we prepare another; SQLite has one writer."""
