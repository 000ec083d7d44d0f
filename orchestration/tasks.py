"""Celery's doors: a doorbell, a sweep and a relay. Each calls one function and returns."""

from __future__ import annotations

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from orchestration.audit_chain.seal import seal_of_the_day
from orchestration.engines.celery import lease
from orchestration.engines.celery.work import work as work_until_idle
from orchestration.relay import relay as relay_once

_draining = threading.Event()


@shared_task(name="orchestration.work")
def work() -> int:
    return _work()


@shared_task(name="orchestration.sweep")
def sweep() -> int:
    """Free what dead workers had in hand, then do what is due: timers, and work whose bell was lost."""
    lease.free_the_lost()
    return _work()


@shared_task(name="orchestration.relay")
def relay() -> int:
    return relay_once()


@shared_task(name="orchestration.audit_seal")
def audit_seal() -> int:
    """The number of the day's seal; 0 when the day has one already."""
    seal = seal_of_the_day()
    return seal.number if seal else 0


@worker_ready.connect
def take_lease(**_: Any) -> None:
    """A worker is known from its start, not from its first message."""
    lease.keep_alive()


@worker_shutting_down.connect
def take_no_more(**_: Any) -> None:
    """What is in hand is finished and written down; the rest is left to other workers."""
    _draining.set()


@worker_shutdown.connect
def give_up_lease(**_: Any) -> None:
    """What could not be finished is free at once, not after the lease."""
    lease.end()


def _work() -> int:
    return 0 if _draining.is_set() else work_until_idle(lease.keep_alive(), _draining)
