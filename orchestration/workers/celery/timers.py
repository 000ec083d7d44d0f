"""Timers that are due become events of their runs; those of external flows call the flow's `on_timer`."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from functools import partial

from foundation.clock import database_now, now
from foundation.db.outages import AWAY
from foundation.guarded import guarded
from orchestration.core.enums import Purpose
from orchestration.core.saga.events import TimerFired
from orchestration.engines.celery import claims
from orchestration.engines.celery.advance import ALARM
from orchestration.models import Command
from orchestration.ports import flow_of
from orchestration.workers import lease
from orchestration.workers.celery.exchange import Done, claim_timers, submit_ends
from orchestration.workers.in_hand import IN_HAND

log = logging.getLogger(__name__)

MOST_AT_ONCE = 50


def fire(worker: str, stop: threading.Event | None = None) -> int:
    """Fire what is due until nothing is, or until `stop`; returns how many."""
    fired = 0
    while stop is None or not stop.is_set():
        due = claims.next_timer()
        if due is None or due > now():
            return fired
        rows = claim_timers(worker, MOST_AT_ONCE)
        if not rows:
            return fired  # others were quicker
        fired += len(rows)
        with IN_HAND.all_or_lost((row.pk, row.epoch) for row in rows):
            submit_ends(worker, [_done(row) for row in rows if row.timer != ALARM])
            for row in rows:
                if row.timer == ALARM:
                    _fire(row)
    return fired


def until_next() -> timedelta | None:
    """How long until the first of the timers that wait is due; None when none waits."""
    due = claims.next_timer()
    return None if due is None else max(due - now(), timedelta())


def _done(row: Command) -> Done:
    return Done(row=row, ended=None, event=_event(row))


def _event(row: Command) -> TimerFired:
    return TimerFired(
        at=max(now(), row.due_at),
        timer=row.timer,  # type: ignore[arg-type]
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        attempt=row.attempt,
    )


def _fire(row: Command) -> None:
    """Call the flow's `on_timer`, in a transaction of its own. If this worker dies after it, another calls again.

    It is judged by the database's clock itself. Where `now`, by which it was claimed, is milliseconds ahead of that,
    the timer waits for as long again.
    """
    guarded(partial(_on_timer, row), partial(_not_fired, row))


def _on_timer(row: Command) -> None:
    moment = database_now()
    mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
    if moment < row.due_at:
        mine.update(status=Command.READY, worker="", due_at=row.due_at + (row.due_at - moment))
    else:
        flow_of(row.run.kind).on_timer(row.run_id, moment)
        mine.update(status=Command.DONE, ended_at=now())
    IN_HAND.done((row.pk, row.epoch))


def _not_fired(row: Command, error: Exception) -> None:
    if isinstance(error, AWAY):
        raise error  # the whole batch waits for the database
    log.error("the alarm of run %s failed", row.run_id, exc_info=error)
    lease.give_back(row)
