"""A Temporal worker of ours: the interpreter, the activities, a lease row, and the relay beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from temporalio.exceptions import TemporalError
from temporalio.worker import Worker

from orchestration.engines.celery import lease
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.activities import perform, record, ring
from orchestration.engines.temporal.keeping import HumanApprovalWorkflow
from orchestration.engines.temporal.workflow import SagaWorkflow
from orchestration.relay import relay
from orchestration.workers import OF_TEMPORAL

log = logging.getLogger(__name__)
THREADS = 32


async def serve(stop: asyncio.Event, *, threads: int = THREADS, task_queue: str = "") -> None:
    """Work until `stop` is set, then finish what is in hand (20 s at most)."""
    client = await connection.client()
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
            max_heartbeat_throttle_interval=timedelta(seconds=1),
            default_heartbeat_throttle_interval=timedelta(seconds=1),
        )
        async with worker:
            await stop.wait()
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
    """A thread that keeps the worker's lease and hands over what waits, about every second."""
    stopped = threading.Event()

    def loop() -> None:
        while True:
            try:
                lease.renew(name, engine="temporal")
                relay()
            except DatabaseError:
                log.warning("the database is away; trying again", exc_info=True)
            except TemporalError:
                log.warning("Temporal refused a call; trying again", exc_info=True)
            if stopped.wait(1):
                break
        lease.release(name)
        connections.close_all()

    thread = threading.Thread(target=loop, name="relay", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(10)


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
