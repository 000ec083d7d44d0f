"""`--wait`: watch a run to its end, hosting a worker when there is none."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from django.conf import settings

from foundation.console.exit_codes import note
from foundation.errors import Unreachable
from orchestration.console import show
from orchestration.console.queues_below import queues_of_family
from orchestration.core.enums import RunStatus
from orchestration.core.queues import DEFAULT
from orchestration.ledger.live_workers import has_worker, queues_served, words_on_queue
from orchestration.models import Run
from orchestration.runs import queries
from orchestration.runs.descendants import is_stuck
from orchestration.workers.celery.in_process import hosted

POLL_SECONDS = 0.1
THREADS, THREADS_ON_TEMPORAL = 4, 8
"""Of each queue, where this command hosts the worker."""


def watch(run: Run, tell: Callable[[str], None] = note) -> Run:
    """Watch until the run ends, or cannot go on without another process or person; prints each event as it comes."""
    seen = 0
    with _worker_for(run):
        while True:
            run.refresh_from_db()
            for event in queries.run_events(run, after=seen):
                seen = event.seq
                tell(show.event(queries.event_view(event)))
            if RunStatus(run.status).is_end or is_stuck(run):
                return run
            time.sleep(POLL_SECONDS)


def _worker_for(run: Run) -> AbstractContextManager[object]:
    """For the queues of the run and of its children, as far as no worker serves them."""
    queues = queues_of_family(run)
    if has_worker(run.engine):
        return _worker_beside(run, queues)
    note("no worker is running, so this command hosts one until the run ends")
    return _hosted(run.engine, [DEFAULT, *settings.ZEN_WORKER_QUEUES, *sorted(queues)])


def _worker_beside(run: Run, queues: set[str]) -> AbstractContextManager[object]:
    served = queues_served(run.engine)
    unserved = sorted(queues - served.keys())
    for queue in unserved:
        note(words_on_queue(run.engine, queue, served))
    if not unserved or not _can_host(run.engine):
        return contextlib.nullcontext()
    note("this command serves them until the run ends")
    return _hosted(run.engine, unserved)


def _can_host(engine: str) -> bool:
    """The own engine's workers need the database alone."""
    if engine == "celery":
        return True
    from orchestration.engines.temporal import connection  # noqa: PLC0415 - temporalio is an extra

    try:
        connection.call(connection.server_version())
    except Unreachable as error:
        note(error.message)
        return False
    return True


def _hosted(engine: str, queues: Iterable[str]) -> AbstractContextManager[object]:
    if engine == "celery":
        return hosted(queues=dict.fromkeys(queues, THREADS))
    from orchestration.workers.temporal import worker  # noqa: PLC0415 - temporalio is an extra

    return worker.hosted(queues=dict.fromkeys(queues, THREADS_ON_TEMPORAL))
