"""What parts of the demonstration share: workers in this process, runs of a parcel, passes until something holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from django.conf import settings

from foundation.clock import now
from monitoring.models import RecoveryAttempt, RunHealth
from monitoring.performing.tick import recover
from monitoring.watch import sweep
from orchestration.core.queues import AGENTS, AGENTS_THREADS, DEFAULT
from orchestration.models import Run
from orchestration.runs import start_run
from orchestration.runs.documents import load_text
from orchestration.workers.celery.in_process import hosted
from zen_project.demo.people import ME
from zen_project.demo.services import Service

PARCEL = Path(__file__).parent / "examples" / "parcel.yaml"
PATIENCE_SECONDS = 120.0


def shipment(services: dict[str, Service], engine: str, order: str) -> Run:
    """A run that ships what was paid."""
    addresses = {name: f"http://{service.address}" for name, service in services.items()}
    run, _ = start_run(
        definition=load_text(PARCEL.read_text(encoding="utf-8")), actor=ME, workflow_id=f"parcel-{order}",
        engine=engine, context=addresses | {"order": order},
    )  # fmt: skip
    return run


def passes(done: Callable[[], bool], otherwise: str, *, each: Callable[[], None] = lambda: None) -> None:
    """Watch and recover as each worker does, until `done`; `each` is called after each pass."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"{otherwise} within {PATIENCE_SECONDS:g} s; see {settings.ZEN_DATA_DIR}")
        sweep.sweep(at_once=True)
        each()
        recover()
        each()
        time.sleep(0.2)


def workers(engine: str) -> AbstractContextManager[None]:
    """Workers of the engine in this process, until the block is left."""
    if engine == "temporal":
        from orchestration.workers.temporal import worker  # noqa: PLC0415 - temporalio is an extra

        return worker.hosted(queues={DEFAULT: 8, AGENTS: AGENTS_THREADS})
    return hosted(queues={DEFAULT: 4, AGENTS: AGENTS_THREADS})


def looked_at(run: Run) -> bool:
    """The next look at a run that waits for ten minutes is far away; an operator does `monitor check`."""
    RunHealth.objects.filter(pk=run.pk).update(look_at=now())
    return True


def said(run: Run, code: str) -> str:
    """The sentence of an issue of the run's health; '' while it has none."""
    row = RunHealth.objects.filter(pk=run.pk).first()
    issues = row.issues if row is not None else []
    return next((str(issue["sentence"]) for issue in issues if issue["code"] == code), "")


def status(run: Run) -> str:
    """Where the run is now."""
    run.refresh_from_db()
    return run.status


def tried(run: Run) -> list[RecoveryAttempt]:
    """What recovery has done about it, in order."""
    return list(RecoveryAttempt.objects.filter(run=run).select_related("run").order_by("pk"))
