"""Celery's doors. A worker does its work in threads of its own (engines/celery/host.py), each second or so by itself; a
message of these names makes them look at once.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import task_received, worker_process_init

from notifications import bell
from orchestration.audit_chain.seal import seal_of_the_day
from orchestration.engines.celery import lease
from orchestration.relay import relay as relay_once

WORK, SWEEP, RELAY, SEAL = (f"orchestration.{name}" for name in ("work", "sweep", "relay", "audit_seal"))


@shared_task(name=WORK)
def work() -> int:
    bell.wake(WORK)
    return 0


@shared_task(name=SWEEP)
def sweep() -> int:
    """Where no worker is in this process that sweeps by itself: free what dead workers had in hand."""
    return 0 if bell.wake(WORK) else lease.free_the_lost()


@shared_task(name=RELAY)
def relay() -> int:
    return 0 if bell.wake(RELAY) else relay_once()


@shared_task(name=SEAL)
def audit_seal() -> int:
    """The number of the day's seal; 0 when the day has one already."""
    seal = seal_of_the_day()
    return seal.number if seal else 0


@task_received.connect
def heard(request: Any = None, **_: Any) -> None:
    """In the process that hosts the threads, which with a pool of processes is not the one that runs the task."""
    bell.wake(str(getattr(request, "name", "")))


@worker_process_init.connect
def do_nothing_here(**_: Any) -> None:
    """A process of a pool: the one above it has the threads, and has heard already."""
    for name in bell.NAMES:
        bell.hosts(name, lambda: None)
