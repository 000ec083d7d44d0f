"""Perform, hand in, get the next: a worker thread goes on until nothing is ready."""

from __future__ import annotations

import logging
import threading

from django.db import close_old_connections

from orchestration.clock import now
from orchestration.core.events import EffectBroke, TimerFired
from orchestration.core.words import Purpose
from orchestration.effects import perform_attempt
from orchestration.engines.celery import known, lease
from orchestration.engines.celery.advance import ALARM
from orchestration.engines.celery.desk import Done, exchange
from orchestration.flows import flow_of
from orchestration.models import Command

log = logging.getLogger(__name__)

MOST_TRIES = 5
"""Claims of one attempt before our machinery gives up on it: a poison action must not loop for ever."""


def work(worker: str, stop: threading.Event | None = None) -> int:
    """Perform what is ready until nothing is, or until `stop`; returns how many commands were performed."""
    performed = 0
    row = exchange(worker, None)
    while row is not None:
        performed += 1
        row = _next_after(row, worker, stop)
    return performed


def _next_after(row: Command, worker: str, stop: threading.Event | None) -> Command | None:
    """Perform this one, hand it in, get the next. What cannot be handed in is tried again later, under the same key."""
    try:
        done = perform(row)
        return exchange(worker, done, wants=stop is None or not stop.is_set())
    except Exception:
        log.exception("the end of %s could not be written", row)
        lease.give_back(row)
        close_old_connections()
        return None


def perform(row: Command) -> Done | None:
    """Perform one claimed command. None: it has no end to be written now."""
    if row.timer == ALARM:
        _ring(row)
        return None
    if row.kind == "start_timer":
        return Done(row=row, ended=None, event=_timer_event(row))
    if row.tries > MOST_TRIES:
        return _gave_up(row, f"{row.tries - 1} workers were lost while performing it")
    try:
        ended = perform_attempt(known.run_of(row.run_id), row)
    except Exception as error:  # the machinery's own fault: never an outcome of the action
        log.exception("performing %s failed", row)
        return _try_again(row, error)
    if ended.deferred:
        _hold_for_child(row)
        return None
    return Done(row=row, ended=ended, event=ended.event(row, now()))


def _ring(row: Command) -> None:
    """The flow's own transaction; if this worker dies after it, another rings once more, which changes nothing."""
    try:
        flow_of(row.run.kind).ring(row.run_id, max(now(), row.due_at))
    except Exception:
        log.exception("the alarm of run %s failed", row.run_id)
        lease.give_back(row)
        close_old_connections()
        return
    mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
    mine.update(status=Command.DONE, ended_at=now())


def _gave_up(row: Command, error: str) -> Done:
    return Done(row=row, ended=None, event=_broke(row, error))


def _try_again(row: Command, error: Exception) -> Done | None:
    if row.tries >= MOST_TRIES:
        return _gave_up(row, f"{type(error).__name__}: {error}")
    lease.give_back(row)
    return None


def _hold_for_child(row: Command) -> None:
    """The outcome comes as a message later; no lease guards it."""
    Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING).update(status=Command.DONE)


def _timer_event(row: Command) -> TimerFired:
    return TimerFired(
        at=max(now(), row.due_at),
        timer=row.timer,  # type: ignore[arg-type]
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        attempt=row.attempt,
    )


def _broke(row: Command, error: str) -> EffectBroke:
    return EffectBroke(
        at=now(),
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        attempt=row.attempt,
        error=error[:2000],
    )
