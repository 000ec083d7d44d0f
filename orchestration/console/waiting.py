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
from orchestration.workers import has_worker

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
    if has_worker(run.engine):
        return contextlib.nullcontext()
    if run.engine == "celery":
        note("no worker is running, so this command hosts one until the run ends")
        queues = {step.queue for step in plan_of(run).steps.values()}
        return hosted(queues=dict.fromkeys([DEFAULT, *settings.ZEN_WORKER_QUEUES, *sorted(queues)], THREADS))
    from orchestration.engines.temporal.worker import hosted as hosted_on_temporal

    note("no worker is running, so this command hosts one until the run ends")
    return hosted_on_temporal()
