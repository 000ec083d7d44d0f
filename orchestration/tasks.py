"""Celery's doors: a doorbell, a sweep and a relay. Each calls one function and returns."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from orchestration.engines.celery import lease
from orchestration.engines.celery.work import work as work_until_idle
from orchestration.relay import relay as relay_once


@shared_task(name="orchestration.work")
def work() -> int:
    return work_until_idle(lease.keep_alive())


@shared_task(name="orchestration.sweep")
def sweep() -> int:
    """Free what dead workers had in hand, then do what is due: timers, and work whose bell was lost."""
    lease.free_the_lost()
    return work_until_idle(lease.keep_alive())


@shared_task(name="orchestration.relay")
def relay() -> int:
    return relay_once()


@worker_ready.connect
def take_lease(**_: Any) -> None:
    """A worker is known from its start, not from its first message."""
    lease.keep_alive()
