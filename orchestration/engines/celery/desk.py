"""The desk of a worker process: threads hand in what they performed and get the next command, many in one transaction.

The busier a worker is, the fewer transactions a step costs; a worker with one thread pays one a step.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import OperationalError, close_old_connections, connection

from orchestration import sql
from orchestration.clock import now
from orchestration.combining import Combiner
from orchestration.core.events import Event
from orchestration.effects import Ended, ends_of
from orchestration.engines.celery import bell, claims
from orchestration.engines.celery.advance import Fold, lock
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
    more: bool = False
    error: Exception | None = None


_PAUSES = (0.0, 0.05, 0.5)
"""Seconds before each try to write one result: a deadlock that the database broke, a connection that it dropped."""


def exchange(worker: str, done: Done | None, *, wants: bool = True) -> Command | None:
    """Hand in what was performed, get the next command. Raises when this thread's own result could not be written."""
    slip = Slip(worker=worker, done=done, wants=wants)
    _desk.submit(slip)
    if slip.more:
        bell.ring()
    if slip.error is not None:
        raise slip.error
    return slip.next


def _serve(slips: Sequence[Slip]) -> None:
    """Everybody in one transaction; if that fails, each alone: one bad result must not spoil the others."""
    try:
        _settle(slips)
    except Exception:
        log.warning("a transaction for %d threads failed; each goes alone", len(slips), exc_info=True)
        for slip in slips:
            slip.error = _settle_alone(slip)


def _settle_alone(slip: Slip) -> Exception | None:
    last: Exception | None = None
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            _settle([slip])
        except OperationalError as error:
            close_old_connections()
            last = error
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread whose result it was gets it
            return error
        else:
            return None
    return last


def _settle(slips: Sequence[Slip]) -> None:
    done = [slip.done for slip in slips if slip.done is not None]
    hungry = defaultdict[str, list[Slip]](list)  # a process has one worker name; a test may have more
    for slip in slips:
        if slip.wants:
            hungry[slip.worker].append(slip)
    moment = now()
    if not done and not claims.anything_due(moment):
        return
    with sql.writing():
        fold = _folded(done) if done else Fold({})
        writing = fold.statements()
        claiming = [claims.claiming(worker, moment, len(waiting)) for worker, waiting in hungry.items()]
        found = sql.rows_of(*writing, *claiming)[len(writing) :]
        fold.aftermath()
    given = 0
    for (worker, waiting), rows in zip(hungry.items(), found, strict=True):
        for slip, row in zip(waiting, claims.commands_of(worker, rows), strict=False):
            slip.next = row
            given += 1
    slips[0].more = fold.ready > given


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


_desk = Combiner(_serve, lanes=2 if connection.features.has_select_for_update else 1)
"""PostgreSQL works on one transaction while we prepare another; SQLite has one writer."""
