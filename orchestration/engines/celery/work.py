"""Perform, hand in, get the next: a worker thread goes on until nothing of its queue is ready."""

from __future__ import annotations

import logging
import threading

from orchestration.clock import now
from orchestration.core.events import EffectBroke
from orchestration.core.queues import DEFAULT
from orchestration.core.words import Purpose
from orchestration.effects import Ended, TakenOver, perform_attempt
from orchestration.engines.celery import known, lease, timers
from orchestration.engines.celery.desk import Done, exchange
from orchestration.engines.celery.inhand import IN_HAND
from orchestration.models import Command
from orchestration.outages import AWAY, heal, outlast

log = logging.getLogger(__name__)

MOST_TRIES = 5
"""Claims of one attempt before our machinery gives up on it: a poison action must not loop for ever."""


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
        try:
            done = perform(row)
            return exchange(worker, done, wants=stop is None or not stop.is_set(), queue=queue)
        except Exception:
            log.exception("the end of %s could not be written", row)
            lease.give_back(row)
            heal()
            return None


def perform(row: Command) -> Done | None:
    """Perform one claimed action. None: it has no end to be written now."""
    if row.tries > MOST_TRIES:
        return _gave_up(row, f"{row.tries - 1} workers were lost while performing it")
    try:
        # What reads the ledger before the call and after it waits for a database that is away; see `effects`.
        ended: Ended = outlast(lambda: perform_attempt(known.run_of(row.run_id), row), what=f"performing {row}")
    except TakenOver as error:
        log.warning("not performed: %s", error)
        lease.give_back(row, begun=False)
        return None
    except Exception as error:  # the machinery's own fault: never an outcome of the action
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
