"""Engines as the contract suite sees them: something that makes a stored run go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random

from django.db import connection

from orchestration.engines.registry import ENGINES
from orchestration.models import Run
from orchestration.runs.relay import relay
from orchestration.workers import lease
from orchestration.workers.celery.worker import work
from orchestration.workers.memory.engine import MemoryEngine
from tests.support.waiting import PATIENCE_SECONDS, wait_until

Host = Callable[[], None]


@contextmanager
def celery_host(threads: int = 4) -> Iterator[str]:
    """Worker threads of the own engine, and its sweep, without a broker."""
    stop = threading.Event()

    names = [f"contract-{number}" for number in range(threads)]

    def loop(name: str) -> None:
        while not stop.is_set():
            work(name, stop)
            stop.wait(0.02)
        connection.close()

    def keep() -> None:
        """A thread of its own, as in a worker process: an action may take long."""
        while not stop.is_set():
            for name in names:
                lease.renew(name)
            lease.free_the_lost()
            relay()
            stop.wait(0.05)
        connection.close()

    for name in names:
        lease.renew(name)
    workers = [threading.Thread(target=loop, args=(name,), daemon=True) for name in names]
    workers.append(threading.Thread(target=keep, daemon=True))
    for worker in workers:
        worker.start()
    try:
        yield "celery"
    finally:
        stop.set()
        for worker in workers:
            worker.join(PATIENCE_SECONDS)


@contextmanager
def memory_host(*, longest_alarm: timedelta = timedelta()) -> Iterator[str]:
    """The memory engine, which is in the table of engines only here, and the relay beside it."""
    engine, stop = MemoryEngine(random=Random(0), longest_alarm=longest_alarm), threading.Event()

    def loop() -> None:
        while not stop.wait(0.05):
            relay()
        connection.close()

    relaying = threading.Thread(target=loop, daemon=True)
    ENGINES["memory"] = engine
    try:
        with engine.hosted():
            relaying.start()
            yield "memory"
            stop.set()
            relaying.join(PATIENCE_SECONDS)
    finally:
        del ENGINES["memory"]


def until(run: Run, done: Callable[[Run], bool] | None = None) -> Run:
    """Wait for a run to end or to need a person (or for `done`). A run that does neither fails the test."""

    def there() -> bool:
        run.refresh_from_db()
        parked = run.status in ("held", "needs_attention") or run.finished_at is not None
        return done(run) if done else parked

    def story() -> str:
        events = [f"{event.kind} {event.step_id} {event.data.get('error', '')}" for event in run.events.all()]
        return f"run {run.workflow_id} is still {run.status}: {events[-10:]}"

    wait_until(there, story, pause=0.03)
    return run


def ended_after(run: Run, did: Callable[[Run], bool]) -> Run:
    """Wait for the end of a run that goes on after an earlier one: for that which follows `did`."""

    def ended() -> bool:
        run.refresh_from_db()  # only now: what was read before `did` may be the earlier end
        return run.finished_at is not None

    return until(run, lambda run: did(run) and ended())
