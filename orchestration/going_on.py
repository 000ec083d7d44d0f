"""Handlers that go on after they were told to stop: what their attempt's row says of it, and what their run is told."""

from __future__ import annotations

import logging
from datetime import datetime

from orchestration import lifecycle
from orchestration.clock import now
from orchestration.core.events import HandlerOverdue
from orchestration.core.words import Purpose
from orchestration.models import Command, Run
from orchestration.outages import AWAY, heal
from orchestration.workers import TO_START, orphaned

log = logging.getLogger(__name__)

TOLD = "told_to_stop"
"""Key of the `detail` of an attempt in flight: {"at": ISO 8601, "epoch": of the claim whose handler it is}."""


def note(run: Run, row: Command, is_overdue: bool) -> bool:
    """Write down that the handler goes on; with `is_overdue` tell its run. False when the database is away."""
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
    lifecycle.post(run, event, message_id=f"overdue:{row.pk}:{row.epoch}")


def handler_of(row: Command) -> str:
    since = f" since {row.started_at.isoformat(timespec='seconds')}" if row.started_at else ""
    return f"the handler of attempt {row.attempt} in worker {row.worker}{since}"


def told_at(row: Command) -> datetime | None:
    """When the handler of an attempt was told to stop that goes on in a living worker; None for any other."""
    told = row.detail.get(TOLD) if row.status == Command.RUNNING else None
    if not isinstance(told, dict) or told.get("epoch") != row.epoch:
        return None
    if row.run.engine in TO_START and orphaned(Command.objects.filter(pk=row.pk)).exists():
        return None
    return datetime.fromisoformat(told["at"])
