"""A worker's lease: one row, renewed by one UPDATE. What a lost worker had claimed becomes ready again (the sweep)."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from foundation import telemetry
from foundation.clock import now, read, ticks
from foundation.db.outages import AWAY, heal
from orchestration.models import Command, Run, Worker
from orchestration.workers.in_hand import IN_HAND

LONG_GONE = timedelta(days=7)
"""How long rows of lost Temporal workers are kept, to be seen. Temporal gives their activities to others itself."""

_name = ""
_lock = threading.Lock()


def worker_name() -> str:
    """This process's name as a worker, new after a fork."""
    global _name
    with _lock:
        if not _name.endswith(f":{os.getpid()}"):
            _name = f"{socket.gethostname()[:30]}:{uuid.uuid4().hex[:8]}:{os.getpid()}"
            telemetry.say_of_process(worker=_name)
        return _name


def renew(
    name: str,
    *,
    engine: str = "celery",
    queues: Mapping[str, int] | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Renew the lease for ZEN_WORKER_LEASE_SECONDS from now, by the database's clock.

    `queues`: {queue: threads}. `detail`: what the worker tells of itself besides, as JSON.
    """
    read()
    about = {"queues": dict(queues or settings.ZEN_WORKER_QUEUES), **_clock(), **(detail or {})}
    until = now() + timedelta(seconds=settings.ZEN_WORKER_LEASE_SECONDS)
    if not Worker.objects.filter(pk=name).update(lease_until=until, detail=about):
        fields = {"engine": engine, "started_at": now(), "lease_until": until, "detail": about}
        Worker.objects.update_or_create(pk=name, defaults=fields)


def _clock() -> dict[str, object]:
    """How many seconds this machine's clock is ahead of the database's, where that is worth telling."""
    ahead = round((timezone.now() - now()).total_seconds(), 1)
    return {"clock_ahead": ahead} if abs(ahead) >= 1 else {}


def release(name: str) -> None:
    """Give the lease up: the worker's row is deleted."""
    Worker.objects.filter(pk=name).delete()


def grace() -> timedelta:
    """How long after the end of its lease a worker is still waited for.

    It renews each third of a lease, so a worker is taken for lost after a silence of a whole lease, and no less.
    """
    return timedelta(seconds=settings.ZEN_WORKER_LEASE_SECONDS / 3)


def free_the_lost() -> int:
    """The sweep: running commands of workers without a lease become ready; returns how many."""
    moment = now()
    if not _lapsed(moment).exists() and not _orphans(moment).exists():
        return 0  # a look takes no writer's place
    with transaction.atomic():
        _lapsed(moment).delete()
        # A locked row is being ended, perhaps in a transaction that stands still: the others are freed.
        skip = connection.features.has_select_for_update_skip_locked
        found = _orphans(moment).select_for_update(skip_locked=skip) if skip else _orphans(moment)
        lost = list(found.values_list("pk", flat=True))
        ours = Command.objects.filter(pk__in=lost, status=Command.RUNNING)
        return ours.update(status=Command.READY, worker="", due_at=moment) if lost else 0


def _lapsed(moment: datetime) -> QuerySet[Worker]:
    lost, long_gone = moment - grace(), moment - LONG_GONE
    return Worker.objects.filter(Q(engine="celery", lease_until__lt=lost) | Q(lease_until__lt=long_gone))


def _orphans(moment: datetime) -> QuerySet[Command]:
    """No join: so the lock judges each row anew, and spares one whose end was written while it was waited for."""
    alive = Worker.objects.filter(engine="celery", lease_until__gte=moment - grace()).values("name")
    ours = Run.objects.filter(engine="celery").values("pk")
    return Command.objects.filter(status=Command.RUNNING, run__in=ours).exclude(worker__in=alive)


def server_up_for() -> float:
    """Seconds since the database's server was started; infinite where the database does not tell."""
    if connection.vendor != "postgresql":
        return float("inf")
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())")
        return float(cursor.fetchone()[0])


def free_the_unheld(name: str) -> int:
    """Commands that are claimed under our own name and that no thread of ours holds become ready; returns how many.

    One that no thread had begun has cost none of its tries.
    """
    at = ticks()
    found = Command.objects.filter(worker=name, status=Command.RUNNING, run__engine="celery")
    freed = 0
    for (pk, epoch), begun in IN_HAND.unheld(list(found.values_list("pk", "epoch")), at):
        mine = Command.objects.filter(pk=pk, epoch=epoch, worker=name, status=Command.RUNNING)
        freed += mine.update(status=Command.READY, worker="", due_at=now(), tries=_tries(begun=begun))
    return freed


def _tries(*, begun: bool) -> F | Greatest:
    """The tries of a command that becomes ready again: a claim that no thread acted on does not count."""
    return F("tries") if begun else Greatest(F("tries") - 1, Value(0))


def give_back(row: Command, *, begun: bool = True) -> None:
    """Make a claimed command ready again, after a pause. One that was not `begun` costs none of its tries.

    Where the database does not take that, the worker finds the command at the next renewal of its lease.
    """
    due = now() + timedelta(seconds=min(2**row.tries, 30))
    key = (row.pk, row.epoch)
    try:
        mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
        mine.update(status=Command.READY, worker="", due_at=due, tries=_tries(begun=begun))
    except AWAY:
        heal()
        IN_HAND.lost(key)
    else:
        IN_HAND.done(key)
