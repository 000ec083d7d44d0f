"""Our own engine in a process of its own: many short runs at once, or one long chain. Prints one JSON object."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import django
from django.core.management import call_command

from benchmarks.sampling import Sampler

THREADS = 4


def definition(steps: int) -> dict[str, Any]:
    return {
        "saga_id": f"bench-{steps}",
        "steps": [
            {
                "step_id": f"s{number}",
                "forward_action": {"type": "task", "handler": "trivial"},
                **({"dependencies": [f"s{number - 1}"]} if number else {}),
            }
            for number in range(steps)
        ],
    }


def start(steps: int, runs: int) -> None:
    from foundation.identity.actor import CONSOLE_ROLES, Actor
    from orchestration.runs import start_run

    actor = Actor(name="bench", door="python", roles=CONSOLE_ROLES)
    for _ in range(runs):
        start_run(definition=definition(steps), actor=actor, engine="celery")


def short_runs(runs: int) -> float:
    """As a worker process does it: one lease, action threads that are woken, services beside them."""
    from orchestration.models import Run
    from orchestration.workers.celery.in_process import hosted

    with hosted(threads=THREADS):
        began = time.perf_counter()
        start(3, runs)
        while Run.objects.exclude(status="completed").exists():
            time.sleep(0.01)
        return runs * 3 / (time.perf_counter() - began)


def chain_cost(steps: int, runs: int) -> float:
    """Seconds for each step of a chain, on one thread, from the first claim to the end."""
    from orchestration.workers.celery.worker import work

    start(10, 10)
    work("warm-up")
    start(steps, runs)
    began = time.perf_counter()
    performed = work("bench")
    assert performed == steps * runs, (performed, steps * runs)
    return (time.perf_counter() - began) / performed


def main(what: str, number: int, sampled: bool) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    sampler = Sampler(("zen-action-",))
    if sampled:
        sampler.start()
    figure = short_runs(number) if what == "runs" else chain_cost(number, max(1, 1000 // number))
    print(json.dumps({"figure": figure, "shares": sampler.shares()}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), "sample" in sys.argv)
