"""Claim, perform, finish, claim the next: a worker goes on until nothing is ready."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from django.db import connection, transaction

from orchestration.clock import now
from orchestration.core.events import EffectBroke, Event, TimerFired
from orchestration.core.words import Purpose
from orchestration.effects import Ended, perform_attempt, store_end
from orchestration.engines.celery.advance import advance
from orchestration.models import Command

log = logging.getLogger(__name__)

MOST_TRIES = 5
"""Claims of one attempt before our machinery gives up on it: a poison action must not loop for ever."""

_CLAIM = """
UPDATE orchestration_command
SET status = 'running', worker = %s, epoch = epoch + 1, tries = tries + 1, started_at = %s
WHERE id = (
    SELECT id FROM orchestration_command
    WHERE status = 'ready' AND due_at <= %s ORDER BY due_at, id LIMIT 1 {skip_locked}
) AND status = 'ready'
RETURNING *
"""


def claim(worker: str) -> Command | None:
    """Take the oldest command that is due, if any. One conditional UPDATE: two workers never get the same one."""
    skip_locked = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    moment = now()
    rows = list(Command.objects.raw(_CLAIM.format(skip_locked=skip_locked), [worker, moment, moment]))
    return rows[0] if rows else None


def work(worker: str, stop: threading.Event | None = None) -> int:
    """Perform what is ready until nothing is, or until `stop`; returns how many commands were performed."""
    performed = 0
    row = claim(worker)
    while row is not None:
        perform(row, worker)
        performed += 1
        row = None if stop is not None and stop.is_set() else claim(worker)
    return performed


def perform(row: Command, worker: str) -> None:
    """Perform one claimed command and fold its event in."""
    if row.kind == "start_timer":
        _finish(row, None, _timer_event(row))
    elif row.tries > MOST_TRIES:
        _finish(row, None, _broke(row, f"{row.tries - 1} workers were lost while performing it"))
    else:
        _perform_action(row, worker)


def _perform_action(row: Command, worker: str) -> None:
    try:
        ended = perform_attempt(row.run, row)
    except Exception as error:  # the machinery's own fault: never an outcome of the action
        log.exception("performing %s failed", row)
        _try_again(row, error)
        return
    if ended.deferred:
        _hold_for_child(row)
    else:
        _finish(row, ended, ended.event(row, now()))


def _finish(row: Command, ended: Ended | None, event: Event) -> bool:
    """Store the end and advance the run, in one transaction; a result whose epoch is stale is refused."""
    with transaction.atomic():
        if not store_end(row, ended, event.at):
            log.warning("refused a late result of %s: its lease had passed to another worker", row)
            return False
        advance(row.run_id, event)
    return True


def _try_again(row: Command, error: Exception) -> None:
    if row.tries >= MOST_TRIES:
        _finish(row, None, _broke(row, f"{type(error).__name__}: {error}"))
        return
    due = now() + timedelta(seconds=min(2**row.tries, 30))
    Command.objects.filter(pk=row.pk, epoch=row.epoch).update(status=Command.READY, worker="", due_at=due)


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
