"""Whether the claim of an attempt is still this process's, asked right before the call."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from foundation.clock import now
from orchestration.models import Command, Run, Worker


class TakenOver(Exception):
    """Another worker has claimed the attempt, or may at any moment: this process stood still for too long."""


def require_claim(run: Run, row: Command) -> None:
    """Asked right before the call, of a claim that is not quite new: this process may have stood still meanwhile
    (SIGSTOP, a machine that was suspended) for longer than its lease. Raises TakenOver.
    """
    half = timedelta(seconds=settings.ZEN_WORKER_LEASE_SECONDS / 2)
    if row.started_at is None or now() - row.started_at < half:
        return
    mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
    if run.engine == "celery":
        mine = mine.filter(worker__in=Worker.objects.filter(lease_until__gt=now()).values("name"))
    if not mine.exists():
        raise TakenOver(f"{row} was claimed {now() - row.started_at} ago, and may be another worker's by now")
