"""A Temporal worker of ours: the interpreter, the activities, a lease row, and the relay beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from temporalio.worker import Worker

from orchestration.engines.celery import lease
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.activities import perform, record, ring
from orchestration.engines.temporal.heart import heart
from orchestration.engines.temporal.keeping import HumanApprovalWorkflow
from orchestration.engines.temporal.workflow import SagaWorkflow
from orchestration.relay import relay
from orchestration.workers import OF_TEMPORAL

log = logging.getLogger(__name__)
THREADS = 32


async def serve(stop: asyncio.Event, *, threads: int = THREADS, task_queue: str = "") -> None:
    """Work until `stop` is set, then finish what is in hand (20 s at most)."""
    client = await connection.client()
    await asyncio.to_thread(heart().start)
    with ThreadPoolExecutor(2 * threads, thread_name_prefix="activity") as executor:
        worker = Worker(
            client,
            task_queue=task_queue or settings.TEMPORAL_TASK_QUEUE,
            workflows=[SagaWorkflow, HumanApprovalWorkflow],
            activities=[perform, record, ring],
            activity_executor=executor,
            max_concurrent_activities=threads,
            max_concurrent_local_activities=threads,
            graceful_shutdown_timeout=timedelta(seconds=20),
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        )
        async with worker:
            await stop.wait()
        await asyncio.to_thread(heart().stop)
        await asyncio.to_thread(_close_connections, executor)


def _close_connections(executor: ThreadPoolExecutor) -> None:
    """Each thread closes its own, which nobody else can: the tasks meet, so that no thread takes two."""
    count = len(executor._threads)  # noqa: SLF001 - there is no other way to know how many there are
    if not count:
        return
    met = threading.Barrier(count)

    def close() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait(5)
        connections.close_all()

    wait([executor.submit(close) for _ in range(count)], timeout=10)


@contextmanager
def beside(name: str) -> Iterator[None]:
    """Two threads: one keeps the worker's lease, one hands over what waits, which may take longer than a lease."""
    stopped = threading.Event()

    def keep_lease() -> None:
        _each_second(stopped, partial(lease.renew, name, engine="temporal"))
        lease.release(name)
        connections.close_all()

    def hand_over() -> None:
        _each_second(stopped, relay)
        connections.close_all()

    threads = [threading.Thread(target=work, name=work.__name__, daemon=True) for work in (keep_lease, hand_over)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join(10)


def _each_second(stopped: threading.Event, act: Callable[[], object]) -> None:
    while True:
        try:
            act()
        except DatabaseError:
            log.warning("the database is away; trying again", exc_info=True)
            close_old_connections()
        except Exception:  # this thread has nobody who would start it again
            log.exception("a worker's thread failed; trying again")
        if stopped.wait(1):
            return


@contextmanager
def hosted(*, threads: int = 8) -> Iterator[None]:
    """A worker inside this process, on the client's loop."""
    loop = connection.loop()
    stop = asyncio.Event()
    serving = asyncio.run_coroutine_threadsafe(serve(stop, threads=threads), loop)
    try:
        with beside(lease.worker_name() + OF_TEMPORAL):
            yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        serving.result(30)
