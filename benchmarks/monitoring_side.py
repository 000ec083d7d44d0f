"""The watch in a process of its own: what a pass costs beside many open runs, and what it takes from a worker.

Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from datetime import timedelta

import django
from django.core.management import call_command

PASSES = 30
DUE = 10
"""Runs that are due in each pass, however many are open."""
BATCH = 2000


def open_runs(number: int) -> None:
    """So many healthy runs that wait, written as they stand; judged each an hour from now."""
    from foundation.clock import now
    from monitoring.models import RunHealth
    from orchestration.models import Run, Step
    from orchestration.runs.definitions import checked
    from orchestration.runs.definitions.stored import store
    from orchestration.sagas import PYTHON

    wait = {"step_id": "w", "forward_action": {"type": "wait", "days": 30}}
    definition, _ = store(checked({"saga_id": "open", "steps": [wait]}), actor=PYTHON)
    moment = now()
    for start in range(0, number, BATCH):
        runs = Run.objects.bulk_create(
            Run(
                workflow_id=f"open-{start + place}", engine="celery", definition=definition, status="waiting",
                head={"next_seq": 1, "open": 1, "waiting": 1}, version=2, handed_over=True, created_at=moment,
                started_at=moment,
            )
            for place in range(min(BATCH, number - start))
        )  # fmt: skip
        Step.objects.bulk_create(
            Step(run=run, step_id="w", status="running", version=2, state={"status": "running", "attempt": 1})
            for run in runs
        )
        RunHealth.objects.bulk_create(
            RunHealth(
                run=run, kind="saga", saga_id="open", engine="celery", status="healthy", since=moment,
                checked_at=moment, look_at=moment + timedelta(hours=1), version=2,
            )
            for run in runs
        )  # fmt: skip


def passes(number: int) -> float:
    """Seconds of a pass over what is due, the median."""
    from foundation.clock import now
    from monitoring.models import RunHealth
    from monitoring.watch import sweep

    open_runs(number)
    sweep.sweep()
    took = []
    ids = list(RunHealth.objects.values_list("pk", flat=True)[: PASSES * DUE])
    for turn in range(PASSES):
        RunHealth.objects.filter(pk__in=ids[turn * DUE : (turn + 1) * DUE]).update(look_at=now())
        began = time.perf_counter()
        done = sweep.sweep()
        took.append(time.perf_counter() - began)
        assert done.judged == DUE, done
    return statistics.median(took)


def short_runs(runs: int, *, watched: bool) -> dict[str, float]:
    """Steps a second of a worker that also watches each second, or does not; and how many alerts there are of it."""
    from django.conf import settings

    from benchmarks.celery_side import THREADS, start
    from monitoring.models import Alert
    from monitoring.watch import sweep
    from orchestration.core.queues import DEFAULT
    from orchestration.models import Run
    from orchestration.runs.relay import relay
    from orchestration.workers.celery.host import Host

    settings.WORKFLOW_MONITORING_ENABLED = watched
    host = Host({DEFAULT: THREADS}, {"orchestration.relay": (relay, 0.2), "monitoring.watch": (sweep.watch, 1.0)})
    host.start()
    try:
        start(3, 20)
        began = time.perf_counter()
        start(3, runs)
        while Run.objects.exclude(status="completed").exists():
            time.sleep(0.01)
        figure = runs * 3 / (time.perf_counter() - began)
        return {"figure": figure, "alarms": Alert.objects.count()}
    finally:
        host.stop()


def main(what: str, number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    found = {"figure": passes(number)} if what == "passes" else short_runs(number, watched=what == "watched")
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
