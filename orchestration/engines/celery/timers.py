"""Timers that are due become events of their runs; alarms ring for the flows that keep their own state."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from orchestration.clock import database_now, now
from orchestration.core.events import TimerFired
from orchestration.core.words import Purpose
from orchestration.engines.celery import claims, lease
from orchestration.engines.celery.advance import ALARM
from orchestration.engines.celery.desk import Done, claim_timers, hand_in
from orchestration.engines.celery.inhand import IN_HAND
from orchestration.flows import flow_of
from orchestration.models import Command
from orchestration.outages import AWAY

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
            hand_in(worker, [_done(row) for row in rows if row.timer != ALARM])
            for row in rows:
                if row.timer == ALARM:
                    _ring(row)
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


def _ring(row: Command) -> None:
    """The flow's own transaction; if this worker dies after it, another rings once more, which changes nothing.

    It rings by the database's clock itself. Where `now`, by which it was claimed, is milliseconds before that, the
    alarm waits for as long again.
    """
    try:
        moment = database_now()
        mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
        if moment < row.due_at:
            mine.update(status=Command.READY, worker="", due_at=row.due_at + (row.due_at - moment))
        else:
            flow_of(row.run.kind).ring(row.run_id, moment)
            mine.update(status=Command.DONE, ended_at=now())
    except AWAY:
        raise  # the whole batch waits for the database
    except Exception:
        log.exception("the alarm of run %s failed", row.run_id)
        lease.give_back(row)
    else:
        IN_HAND.done((row.pk, row.epoch))
