"""A Temporal worker of ours: the workflows, the activities, and beside them a lease and the relay."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from django.utils.module_loading import import_string
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from foundation.db.statement_watch import WATCH
from foundation.errors import Unreachable
from foundation.guarded import guarded
from orchestration.core.queues import DEFAULT
from orchestration.core.saga import versions
from orchestration.engines.temporal import connection
from orchestration.engines.temporal.dto import queue_of
from orchestration.engines.temporal.troubles import note_troubles
from orchestration.ledger.live_workers import OF_TEMPORAL, SERVER
from orchestration.runs.relay import relay
from orchestration.workers import lease
from orchestration.workers.background_service import Health
from orchestration.workers.temporal.activities import on_timer_due, perform, record
from orchestration.workers.temporal.external_workflow import HumanApprovalWorkflow
from orchestration.workers.temporal.heartbeats import heartbeats_here
from orchestration.workers.temporal.project_workflow import MultiAgentProjectWorkflow
from orchestration.workers.temporal.saga_workflow import SagaWorkflow

log = logging.getLogger(__name__)
TROUBLES_SECONDS = 5.0
REACH_SECONDS = 2.0
SDK_GRACE = timedelta(seconds=20)
"""After which the SDK cancels what is in flight, which ours do not heed: they end by themselves."""

WORKFLOWS = [SagaWorkflow, MultiAgentProjectWorkflow, HumanApprovalWorkflow]


async def serve(stop: asyncio.Event, *, queues: Mapping[str, int] | None = None, task_queue: str = "") -> None:
    """Work until `stop` is set, then finish what is in flight, however long: the SDK's grace ends no attempt of ours.

    `queues`: {queue: actions at once}. Each has a task queue and slots of its own; the worker of the default queue
    hosts the workflows too, whose tasks and timers take no slot of an action.
    """
    client = await connection.client()
    await asyncio.to_thread(heartbeats_here().start)
    served = queues or settings.TEMPORAL_WORKER_QUEUES
    base = task_queue or settings.TEMPORAL_TASK_QUEUE
    with ThreadPoolExecutor(2 * sum(served.values()), thread_name_prefix="activity") as executor:
        async with AsyncExitStack() as working:
            for queue, slots in served.items():
                await working.enter_async_context(_worker(client, base, queue, slots, executor))
            await stop.wait()
        await asyncio.to_thread(heartbeats_here().stop)
        await asyncio.to_thread(_close_connections, executor)


def _worker(client: Client, base: str, queue: str, slots: int, executor: ThreadPoolExecutor) -> Worker:
    is_default = queue == DEFAULT
    return Worker(
        client,
        task_queue=queue_of(base, queue),
        workflows=WORKFLOWS if is_default else [],
        activities=[perform, record, on_timer_due] if is_default else [perform],
        activity_executor=executor,
        max_concurrent_activities=slots,
        max_concurrent_local_activities=slots,
        graceful_shutdown_timeout=SDK_GRACE,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        deployment_config=_deployment(),
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


def _deployment() -> WorkerDeploymentConfig:
    """With TEMPORAL_DEPLOYMENT, a run stays with the build that it was begun by (docs/howto/upgrading.md)."""
    pinned = bool(settings.TEMPORAL_DEPLOYMENT)
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(
            deployment_name=settings.TEMPORAL_DEPLOYMENT or "zen",
            build_id=settings.TEMPORAL_BUILD_ID or f"flow-{versions.LATEST}",
        ),
        use_worker_versioning=pinned,
        default_versioning_behavior=VersioningBehavior.PINNED if pinned else VersioningBehavior.UNSPECIFIED,
    )


def _version() -> str:
    """As Temporal writes it; '' without a deployment."""
    return f"{settings.TEMPORAL_DEPLOYMENT}:{settings.TEMPORAL_BUILD_ID}" if settings.TEMPORAL_DEPLOYMENT else ""


def _close_connections(executor: ThreadPoolExecutor) -> None:
    """Each thread closes its own connection, which no other thread can: the tasks meet, so that no thread takes two."""
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
def beside(name: str, queues: Mapping[str, int] | None = None) -> Iterator[None]:
    """Run threads beside the worker until the block is left.

    They renew the lease, ask whether the server answers, hand over what waits (the relay), look for runs that cannot go
    on, and do what ZEN_EVERY_WORKER_SERVICES names.
    """
    stopped, server = threading.Event(), Health()
    WATCH.start()

    def keep_lease() -> None:
        _each_second(stopped, renew)
        lease.release(name)
        connections.close_all()

    def renew() -> None:
        told = server.told()
        failing = {"failing": {SERVER: told}} if told else {}
        lease.renew(name, engine="temporal", queues=queues, detail={"version": _version(), **failing})

    def ask_the_server() -> None:
        _each_second(stopped, partial(_note_reach, server), seconds=REACH_SECONDS)

    def look_for_troubles() -> None:
        _each_second(stopped, note_troubles, seconds=TROUBLES_SECONDS)
        connections.close_all()

    def hand_over() -> None:
        _each_second(stopped, relay)
        connections.close_all()

    def serve_every(act: Callable[[], object], seconds: float) -> None:
        _each_second(stopped, act, seconds=seconds)
        connections.close_all()

    works = (keep_lease, ask_the_server, hand_over, look_for_troubles)
    threads = [threading.Thread(target=work, name=work.__name__, daemon=True) for work in works]
    for service, (path, seconds) in settings.ZEN_EVERY_WORKER_SERVICES.items():
        doing = partial(serve_every, import_string(path), seconds)
        threads.append(threading.Thread(target=doing, name=service, daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join(10)


def _note_reach(server: Health) -> None:
    try:
        connection.call(connection.server_version())
    except Unreachable as error:
        server.fails(error)
    else:
        server.works()


def _each_second(stopped: threading.Event, act: Callable[[], object], *, seconds: float = 1) -> None:
    while True:
        guarded(act, _trying_again)
        if stopped.wait(seconds):
            return


def _trying_again(error: Exception) -> None:
    """Whatever it was: nothing would start this thread again."""
    if isinstance(error, Unreachable):
        log.warning("trying again: %s", error)
    elif isinstance(error, DatabaseError):
        log.warning("the database is away; trying again", exc_info=error)
        close_old_connections()
    else:
        log.error("a worker's thread failed; trying again", exc_info=error)


@contextmanager
def hosted(*, threads: int = 8, queues: Mapping[str, int] | None = None) -> Iterator[None]:
    """A worker inside this process, on the client's loop."""
    served = queues or {DEFAULT: threads}
    loop = connection.loop()
    stop = asyncio.Event()
    serving = asyncio.run_coroutine_threadsafe(serve(stop, queues=served), loop)
    try:
        with beside(lease.worker_name() + OF_TEMPORAL, served):
            yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        serving.result(30)
