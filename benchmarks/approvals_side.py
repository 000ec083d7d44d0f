"""Many open approvals in a process of its own: opening, deciding, listing, and what a waiting run costs.

Arguments: the engine, and how many approvals are open. Prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
from django.core.management import call_command

from approvals.queries.inbox import inbox_of

OPENERS = 4
DECISIONS = 100
LISTINGS = 40
PAGE = 50
PATIENCE_SECONDS = 900.0

GATED = {
    "saga_id": "gated",
    "steps": [
        {"step_id": "gate", "forward_action": {"type": "approval", "approvers": ["bob"], "description": "May it?"}},
        {"step_id": "after", "forward_action": {"type": "task", "handler": "trivial"}},
    ],
}


@contextlib.contextmanager
def workers(engine: str) -> Iterator[None]:
    if engine == "temporal":
        from orchestration.workers.temporal.worker import hosted

        with hosted(threads=32):
            yield
        return
    from django.db import connection

    from orchestration.workers import lease
    from orchestration.workers.celery.worker import work

    stop = threading.Event()

    def loop(name: str) -> None:
        while not stop.is_set():
            lease.renew(name)
            if not work(name, stop):
                stop.wait(0.01)
        connection.close()

    threads = [threading.Thread(target=loop, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the approvals did not get there")
        time.sleep(0.02)


def open_all(engine: str, number: int) -> float:
    """Seconds until so many more of them wait for a person."""
    from approvals.models import Request
    from foundation.identity.actor import CONSOLE_ROLES, Actor
    from orchestration.models import Run
    from orchestration.runs import start_run

    actor = Actor(name="bench", door="python", roles=CONSOLE_ROLES)
    wanted = Request.objects.count() + number
    began = time.perf_counter()
    with ThreadPoolExecutor(OPENERS) as pool:
        list(pool.map(lambda _: start_run(definition=GATED, actor=actor, engine=engine), range(number)))
    wait_until(lambda: Request.objects.count() == wanted)
    wait_until(lambda: Run.objects.filter(kind="saga", status="waiting").count() == wanted)
    return time.perf_counter() - began


def decide_some() -> list[float]:
    """Seconds from each decision to the start of the step behind the gate, one after the other."""
    from django.contrib.auth.models import User

    from approvals.models import Request
    from approvals.policies.principals import person_of
    from approvals.requests import decide
    from foundation.identity import permissions
    from foundation.identity.actor import Actor

    bob = User.objects.get(username="bob")
    actor = Actor(name="bob", door="python", roles=permissions.roles_of(bob))
    found = []
    for request in Request.objects.filter(status="pending").select_related("run__parent").order_by("?")[:DECISIONS]:
        after = decide(
            request_id=request.request_id, actor=actor, person=person_of(bob), choice="approve", seen=request.shown_hash
        )
        run = request.run.parent
        wait_until(lambda run=run: run.events.filter(kind="step.running", step_id="after").exists())  # type: ignore[misc]
        begun = run.events.get(kind="step.running", step_id="after").at  # type: ignore[union-attr]
        vote = after.votes.get()
        found.append((begun - vote.at).total_seconds())
    return found


def list_some() -> list[float]:
    from django.contrib.auth.models import User

    from approvals.queries import requests

    bob, found = User.objects.get(username="bob"), []
    for _ in range(LISTINGS):
        began = time.perf_counter()
        rows = [requests.request_row(request) for request in inbox_of(bob).defer(*requests.LARGE)[:PAGE]]
        assert len(rows) == PAGE
        found.append(time.perf_counter() - began)
    return found


def main(engine: str, number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["TEMPORAL_TASK_QUEUE"] = f"bench-{uuid.uuid4().hex}"
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import Group, User

    bob = User.objects.create_user("bob", "bob@example.com")
    bob.groups.add(Group.objects.get(name="approver"))
    with workers(engine):
        open_all(engine, 20)  # warm: imports, caches, the workers' own memory
        before = _resident()
        took = open_all(engine, number)
        grown = _resident() - before
        listed, decided = list_some(), decide_some()
    print(json.dumps(_figures(number, took, grown, decided, listed)), flush=True)
    os._exit(0)


def _figures(number: int, took: float, grown: int, decided: list[float], listed: list[float]) -> dict[str, Any]:
    ordered = sorted(decided)
    return {
        "open": number,
        "opened_per_second": round(number / took, 1),
        "decide_p50": round(statistics.median(ordered), 4),
        "decide_p95": round(ordered[int(len(ordered) * 0.95)], 4),
        "list": round(statistics.median(listed), 5),
        "bytes_per_parked_run": round(grown / number),
    }


def _resident() -> int:
    """Bytes that this process holds now."""
    with open("/proc/self/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
