"""A worker as it is, with its watch and recovery, among runs in trouble, in a process of its own.

Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.core.management import call_command

EACH = 0.25
"""Seconds between two runs of which each meets trouble alone."""
OUTAGE = 120.0
PIVOT = {"step_id": "a", "pivot": True, "forward_action": {"type": "task", "handler": "trivial"}}


def saga(saga_id: str, handler: str, *before: dict[str, Any]) -> dict[str, Any]:
    action = {"type": "task", "handler": handler, "host": f"{saga_id}.bench.example"}
    bad = {"step_id": "b", "retry_count": 0, "forward_action": action}
    return {"saga_id": saga_id, "steps": [*before, bad | {"dependencies": [one["step_id"] for one in before]}]}


def begin(definition: dict[str, Any]) -> Any:
    from foundation.identity.actor import CONSOLE_ROLES, Actor
    from orchestration.runs import start_run

    return start_run(definition=definition, actor=Actor(name="bench", door="python", roles=CONSOLE_ROLES))[0]


@contextmanager
def worker() -> Iterator[None]:
    """All that a worker does beside steps, at the pace of its settings."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    from benchmarks.celery_side import THREADS
    from orchestration.core.queues import DEFAULT
    from orchestration.workers.celery.host import Host

    named = settings.ZEN_WORKER_SERVICES | settings.ZEN_EVERY_WORKER_SERVICES
    host = Host({DEFAULT: THREADS}, {name: (import_string(path), every) for name, (path, every) in named.items()})
    host.start()
    try:
        yield
    finally:
        host.stop()


def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"{what} did not come within {seconds:g} s")
        time.sleep(0.1)


def policy() -> None:
    """Retries what blocks, over anything."""
    from foundation.identity.actor import CONSOLE_ROLES, Actor
    from monitoring.core.enums import RecoveryAction
    from monitoring.core.policy import RecoveryPolicy
    from monitoring.recovery.publishing import publish

    retries = RecoveryPolicy(
        policy_id="bench", name="Retry what blocks", workflow_types=["*"], conditions={"issue": {"==": "step_blocks"}},
        recovery_actions=[RecoveryAction.RETRY], max_recovery_attempts=3, cooldown_seconds=1, priority=1,
        max_per_hour=100,
    )  # fmt: skip
    publish(retries, actor=Actor(name="bench", door="python", roles=CONSOLE_ROLES))


def acts(number: int) -> dict[str, Any]:
    """Seconds from the failure of each run to the act of recovery on it, in the run's own log; they come one by one."""
    from orchestration.models import Event, Run

    policy()
    with worker():
        runs = []
        for one in range(number):
            runs.append(begin(saga(f"shop-{one}", "fails-once", PIVOT)).pk)
            time.sleep(EACH)
        until(lambda: not Run.objects.exclude(status="completed").exists(), 90, "the end of all runs")
    kinds = ("step.failed", "act.retry")
    log = Event.objects.filter(run_id__in=runs, kind__in=kinds).order_by("seq").values_list("run_id", "kind", "at")
    at: dict[tuple[int, str], Any] = {}
    for run_id, kind, moment in log:
        at.setdefault((run_id, kind), moment)
    took = sorted((at[run, "act.retry"] - at[run, "step.failed"]).total_seconds() for run in runs)
    return {"p50": took[len(took) // 2], "p95": took[int(len(took) * 0.95)], "most": took[-1]}


def failures(number: int) -> dict[str, Any]:
    """Alerts and messages about so many runs that fail with one error, and seconds until all of them are counted."""
    from django.contrib.auth.models import Group, User

    from monitoring.models import Alert, AlertMember, AlertNote
    from orchestration.models import Run

    User.objects.create_user("ops", "ops@bench.example").groups.add(Group.objects.get(name="operator"))
    with worker():
        began = time.perf_counter()
        for _ in range(number):
            begin(saga("shop", "fails"))
        until(lambda: not Run.objects.filter(finished_at=None).exists(), 300, "the end of all runs")
        ended = time.perf_counter()
        until(lambda: AlertMember.objects.count() >= number, 300, "an alert of all of them")
        counted = time.perf_counter()
        time.sleep(30)  # messages that are still to come
    told = AlertNote.objects.filter(kind="told")
    return {
        "alerts": Alert.objects.filter(rule__name="run_failed").count(), "messages": told.count(),
        "others": sorted(Alert.objects.exclude(rule__name="run_failed").values_list("rule__name", flat=True)),
        "failing": ended - began, "counting": counted - ended,
    }  # fmt: skip


def outage(number: int) -> dict[str, Any]:
    """Calls that recovery makes while a service refuses so many runs, and seconds from its return to their ends."""
    from benchmarks import handlers
    from orchestration.models import Run

    policy()
    with worker():
        handlers.SERVICE.up = False
        for _ in range(number):
            begin(saga("shop", "service", PIVOT))
        until(lambda: Run.objects.filter(status="held").count() == number, 300, "the block of all runs")
        first = handlers.SERVICE.calls
        time.sleep(OUTAGE)
        calls = handlers.SERVICE.calls - first
        handlers.SERVICE.up = True
        back = time.perf_counter()
        until(lambda: not Run.objects.exclude(status="completed").exists(), 600, "the end of all runs")
    return {"first": first, "calls": calls, "mended": time.perf_counter() - back}


def main(what: str, number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    found = {"acts": acts, "failures": failures, "outage": outage}[what](number)
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
