"""Handlers that go on after they were told to stop: noted on their attempt's row, and told to their run."""

from __future__ import annotations

import logging
from datetime import datetime

from foundation.clock import now
from foundation.db.outages import AWAY, heal
from orchestration.core.enums import Purpose
from orchestration.core.saga.events import HandlerOverdue
from orchestration.ledger import run_end
from orchestration.ledger.live_workers import TO_START, orphaned
from orchestration.models import Command, Run

log = logging.getLogger(__name__)

TOLD = "told_to_stop"
"""Key of the `detail` of an attempt in flight: {"at": ISO 8601, "epoch": of the claim whose handler it is}."""


def note(run: Run, row: Command, is_overdue: bool) -> bool:
    """Note that the handler goes on; with `is_overdue` tell its run. False when the database is away: call again."""
    try:
        if is_overdue:
            _tell(run, row)
        else:
            told = {TOLD: {"at": now().isoformat(timespec="seconds"), "epoch": row.epoch}}
            Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING).update(detail=told)
    except AWAY:
        log.warning("it could not be noted that the handler of %s goes on; trying again", row, exc_info=True)
        heal()
        return False
    return True


def _tell(run: Run, row: Command) -> None:
    event = HandlerOverdue(
        at=now(),
        step_id=row.step_id,
        purpose=Purpose(row.purpose),
        iteration=row.iteration,
        attempt=row.attempt,
        error=f"{handler_of(row)} was told to stop and has not ended",
    )
    run_end.post(run, event, message_id=f"overdue:{row.pk}:{row.epoch}")


def handler_of(row: Command) -> str:
    """In words: which attempt's handler, in which worker, since when."""
    since = f" since {row.started_at.isoformat(timespec='seconds')}" if row.started_at else ""
    return f"the handler of attempt {row.attempt} in worker {row.worker}{since}"


def told_at(row: Command) -> datetime | None:
    """When the handler of an attempt was told to stop, if it still runs in a living worker; None otherwise."""
    told = row.detail.get(TOLD) if row.status == Command.RUNNING else None
    if not isinstance(told, dict) or told.get("epoch") != row.epoch:
        return None
    if row.run.engine in TO_START and orphaned(Command.objects.filter(pk=row.pk)).exists():
        return None
    return datetime.fromisoformat(told["at"])
