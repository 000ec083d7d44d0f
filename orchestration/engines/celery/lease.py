"""A worker's lease: one row, one UPDATE per beat. What a worker that died had in hand becomes ready again."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Q

from orchestration.clock import now
from orchestration.models import Command, Worker

LONG_GONE = timedelta(days=7)
"""Rows of dead workers of Temporal, which gives what they had in hand to others itself, are kept so long to be seen."""

_name = ""
_lock = threading.Lock()


def worker_name() -> str:
    """This process's name as a worker, new after a fork."""
    global _name
    with _lock:
        if not _name.endswith(f":{os.getpid()}"):
            _name = f"{socket.gethostname()[:30]}:{uuid.uuid4().hex[:8]}:{os.getpid()}"
        return _name


def renew(name: str, *, engine: str = "celery", queues: Mapping[str, int] | None = None) -> None:
    until = now() + timedelta(seconds=settings.ZEN_WORKER_LEASE_SECONDS)
    if not Worker.objects.filter(pk=name).update(lease_until=until):
        about = {"queues": dict(queues or settings.ZEN_WORKER_QUEUES)}
        fields = {"engine": engine, "started_at": now(), "lease_until": until, "detail": about}
        Worker.objects.update_or_create(pk=name, defaults=fields)


def release(name: str) -> None:
    Worker.objects.filter(pk=name).delete()


def free_the_lost() -> int:
    """Commands in the hands of workers whose lease lapsed (or is gone) become ready; returns how many."""
    moment = now()
    with transaction.atomic():
        Worker.objects.filter(
            Q(engine="celery", lease_until__lt=moment) | Q(lease_until__lt=moment - LONG_GONE)
        ).delete()
        alive = Worker.objects.filter(engine="celery").values("name")
        lost = Command.objects.filter(status=Command.RUNNING, run__engine="celery").exclude(worker__in=alive)
        return lost.update(status=Command.READY, worker="", due_at=moment)


_given_back: list[Command] = []


def give_back(row: Command) -> None:
    """A claimed command goes back to the ready ones after a pause. While the database is away the keeper tries on."""
    _given_back.append(row)
    _give_back_all()


def _give_back_all() -> None:
    while _given_back:
        row = _given_back[0]
        due = now() + timedelta(seconds=min(2**row.tries, 30))
        try:
            mine = Command.objects.filter(pk=row.pk, epoch=row.epoch, status=Command.RUNNING)
            mine.update(status=Command.READY, worker="", due_at=due)
        except DatabaseError:
            close_old_connections()
            return
        _given_back.remove(row)


class Keeper(threading.Thread):
    """Renews the lease of this process's worker from a thread of its own, a third of the lease apart."""

    def __init__(self, name: str) -> None:
        super().__init__(name="lease-keeper", daemon=True)
        self.worker = name
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(settings.ZEN_WORKER_LEASE_SECONDS / 3):
            try:
                renew(self.worker)
                _give_back_all()
            except DatabaseError:
                close_old_connections()
        connection.close()


_keepers: dict[int, Keeper] = {}


def keep_alive() -> str:
    """Take this process's lease and keep it; returns the worker's name. Cheap to call again."""
    name = worker_name()
    with _lock:
        if os.getpid() not in _keepers:
            renew(name)
            _keepers[os.getpid()] = Keeper(name)
            _keepers[os.getpid()].start()
    return name


def end() -> None:
    """This process works no more: its lease goes, and what it still has in hand is free at the next sweep."""
    with _lock:
        keeper = _keepers.pop(os.getpid(), None)
    if keeper is not None:
        keeper.stopped.set()
        keeper.join()
        release(keeper.worker)
