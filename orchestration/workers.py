"""Which workers are alive, by their leases; and what a person starts when one is missing."""

from __future__ import annotations

from django.db.models import QuerySet

from orchestration.clock import now
from orchestration.models import Command, Run, Worker

TO_START = {"celery": "celery -A zen_project worker -B", "temporal": "python manage.py temporal_worker"}
OF_TEMPORAL = ":t"
"""How the lease of a temporal worker ends, so that one process may hold both."""


def engines_alive() -> list[str]:
    """One entry for each worker."""
    return list(_alive().values_list("engine", flat=True))


def has_worker(engine: str) -> bool:
    return _alive().filter(engine=engine).exists()


def orphaned(commands: QuerySet[Command]) -> QuerySet[Command]:
    """Those in the hand of a worker that is gone. Another begins them again: at the celery engine's next sweep, and
    Temporal tells its own."""
    names = {name.removesuffix(OF_TEMPORAL) for name in _alive().values_list("name", flat=True)}
    return commands.filter(status=Command.RUNNING).exclude(worker="").exclude(worker__in=names)


def words_on(run: Run, in_hand: Command) -> str:
    """What becomes of an attempt whose worker is gone; '' while it lives."""
    if not orphaned(Command.objects.filter(pk=in_hand.pk)).exists():
        return ""
    if has_worker(run.engine):
        return "; its worker is gone, and another takes it up"
    return f"; its worker is gone, and none runs now: {TO_START.get(run.engine, '')}"


def _alive() -> QuerySet[Worker]:
    return Worker.objects.filter(lease_until__gt=now())
