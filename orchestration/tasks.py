"""Celery tasks. A worker does its work in threads of its own (`workers.celery.host`), each of which looks every second.

A message of one of these tasks only makes them look at once; where a process has no such threads, it does the work.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import task_received, worker_process_init

from foundation import nudge
from foundation.audit.seal import seal_of_the_day
from orchestration.runs.relay import relay as relay_once
from orchestration.workers import lease

WORK, SWEEP, RELAY, SEAL = (f"orchestration.{name}" for name in ("work", "sweep", "relay", "audit_seal"))


@shared_task(name=WORK)
def work() -> int:
    """Wake this process's threads that perform steps."""
    nudge.wake(WORK)
    return 0


@shared_task(name=SWEEP)
def sweep() -> int:
    """In a process without threads of its own: make commands of lost workers ready again; returns how many."""
    return 0 if nudge.wake(WORK) else lease.free_the_lost()


@shared_task(name=RELAY)
def relay() -> int:
    """Wake the relay, or where there is none do its work once; returns how many were handed over."""
    return 0 if nudge.wake(RELAY) else relay_once()


@shared_task(name=SEAL)
def audit_seal() -> int:
    """The number of the day's seal; 0 when the day has one already."""
    seal = seal_of_the_day()
    return seal.number if seal else 0


@task_received.connect
def heard(request: Any = None, **_: Any) -> None:
    """Wake the threads of that name.

    Called where messages arrive, which with Celery's prefork pool is not where tasks run.
    """
    nudge.wake(str(getattr(request, "name", "")))


@worker_process_init.connect
def do_nothing_here(**_: Any) -> None:
    """In a process of Celery's pool: the threads are in its parent, which has received the message already."""
    for name in nudge.NAMES:
        nudge.serve_here(name, lambda: None)
