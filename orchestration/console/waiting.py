"""`--wait`: watch a run to its end, hosting a worker when nobody else does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from django.conf import settings

from orchestration import selectors
from orchestration.console import show
from orchestration.console.doors import note
from orchestration.core.queues import DEFAULT
from orchestration.core.words import RunStatus
from orchestration.engines.celery.local import hosted
from orchestration.kin import is_stuck
from orchestration.models import Run
from orchestration.plans import plan_of
from orchestration.workers import has_worker, queues_served, words_on_queue

POLL_SECONDS = 0.1
THREADS = 4
"""Of each queue, where this command hosts the worker."""


def watch(run: Run, tell: Callable[[str], None] = note) -> Run:
    """Until the run ends or nobody here could move it, or a run below it, on; tells each event as it comes."""
    seen = 0
    with _worker_for(run):
        while True:
            run.refresh_from_db()
            for event in selectors.run_events(run, after=seen):
                seen = event.seq
                tell(show.event(selectors.event_view(event)))
            if RunStatus(run.status).is_end or is_stuck(run):
                return run
            time.sleep(POLL_SECONDS)


def _worker_for(run: Run) -> AbstractContextManager[object]:
    queues = {step.queue for step in plan_of(run).steps.values()}
    if has_worker(run.engine):
        return _worker_beside(run, queues)
    if run.engine == "celery":
        note("no worker is running, so this command hosts one until the run ends")
        return hosted(queues=dict.fromkeys([DEFAULT, *settings.ZEN_WORKER_QUEUES, *sorted(queues)], THREADS))
    from orchestration.engines.temporal.worker import hosted as hosted_on_temporal

    note("no worker is running, so this command hosts one until the run ends")
    return hosted_on_temporal()


def _worker_beside(run: Run, queues: set[str]) -> AbstractContextManager[object]:
    """For those of the run's queues that the workers which there are do not serve; on Temporal they are named only."""
    served = queues_served(run.engine)
    unserved = sorted(queues - served.keys())
    for queue in unserved:
        note(words_on_queue(run.engine, queue, served))
    if not unserved or run.engine != "celery":
        return contextlib.nullcontext()
    note("this command serves them until the run ends")
    return hosted(queues=dict.fromkeys(unserved, THREADS))
