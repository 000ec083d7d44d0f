"""Perform, hand in, get the next: a worker thread goes on until nothing of its queue is ready."""

from __future__ import annotations

import logging
import threading
from functools import partial

from foundation.clock import now
from foundation.db.outages import AWAY, heal, outlast
from foundation.guarded import guarded
from orchestration.core.enums import Purpose
from orchestration.core.queues import DEFAULT
from orchestration.core.saga.events import EffectBroke
from orchestration.engines.celery import state_cache
from orchestration.execution.attempt import perform_attempt
from orchestration.execution.attempt_result import AttemptResult
from orchestration.execution.claim_check import TakenOver
from orchestration.models import Command
from orchestration.workers import lease
from orchestration.workers.celery import timers
from orchestration.workers.celery.exchange import Done, exchange
from orchestration.workers.in_hand import IN_HAND

log = logging.getLogger(__name__)

MOST_TRIES = 5
"""Claims of one attempt before our machinery gives up on it: an action that kills its worker must not loop for ever."""


def work(worker: str, stop: threading.Event | None = None, *, queue: str = DEFAULT) -> int:
    """Fire the timers that are due and perform what is ready until nothing is, or until `stop`, all on this thread.

    Returns how many commands that were. A worker process has threads of their own for timers (host.py).
    """
    performed = 0
    while True:
        found = timers.fire(worker, stop) + act(worker, stop, queue=queue)
        performed += found
        if not found or (stop is not None and stop.is_set()):
            return performed


def act(worker: str, stop: threading.Event | None = None, *, queue: str = DEFAULT) -> int:
    """Perform the actions of a queue that are ready until none is, or until `stop`; returns how many."""
    performed = 0
    if stop is not None and stop.is_set():
        return 0
    row = exchange(worker, None, queue=queue)
    while row is not None:
        performed += 1
        row = _next_after(row, worker, stop, queue)
    return performed


def _next_after(row: Command, worker: str, stop: threading.Event | None, queue: str) -> Command | None:
    """Perform this one, hand it in, get the next. What cannot be handed in is tried again later, under the same key."""
    with IN_HAND.all_or_lost([(row.pk, row.epoch)]):
        return guarded(
            lambda: exchange(worker, perform(row), wants=stop is None or not stop.is_set(), queue=queue),
            partial(_not_written, row),
        )


def _not_written(row: Command, error: Exception) -> None:
    log.error("the end of %s could not be written", row, exc_info=error)
    lease.give_back(row)
    heal()


def perform(row: Command) -> Done | None:
    """Perform one claimed action. None: there is no end to be written now (a child run, or it was given back)."""
    if row.tries > MOST_TRIES:
        return _gave_up(row, f"{row.tries - 1} workers were lost while performing it")
    try:
        # What reads the ledger before the call and after it waits for a database that is away; see `effects`.
        ended: AttemptResult = outlast(
            lambda: perform_attempt(state_cache.run_of(row.run_id), row), what=f"performing {row}"
        )
    except TakenOver as error:
        log.warning("not performed: %s", error)
        lease.give_back(row, begun=False)
        return None
    except Exception as error:  # an item must not end the thread: the machinery's own fault is no outcome
        log.exception("performing %s failed", row)
        return _try_again(row, error)
    if ended.deferred:
        _hold_for_child(row)
        return None
    return Done(row=row, ended=ended, event=ended.event(row, now()))


def _gave_up(row: Command, error: str) -> Done:
    return Done(row=row, ended=None, event=_broke(row, error))


def _try_again(row: Command, error: Exception) -> Done | None:
    if row.tries >= MOST_TRIES and not isinstance(error, AWAY):
        return _gave_up(row, f"{type(error).__name__}: {error}")
    lease.give_back(row)
    return None


def _hold_for_child(row: Command) -> None:
    """The outcome comes as a message later; no lease guards it."""
    mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
    outlast(lambda: mine.update(status=Command.DONE), what=row)
    IN_HAND.done((row.pk, row.epoch))


def _broke(row: Command, error: str) -> EffectBroke:
    return EffectBroke(
        at=now(),
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        attempt=row.attempt,
        error=error[:2000],
    )
