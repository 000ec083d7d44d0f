"""How long a back-test of a recovery policy takes, in a process of its own. Prints one JSON object."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import django
from django.core.management import call_command

BATCH = 500
STEPS = ("reserve", "pay", "ship", "mail")
LOG: list[tuple[float, str, str, dict[str, Any]]] = [
    (0, "run.started", "", {}),
    *(
        (10.0 * place + offset, f"step.{word}", step_id, data)
        for place, step_id in enumerate(STEPS[:3])
        for offset, word, data in (
            (0, "running", {"attempt": 1}),
            (10, "attempt_ended", {"attempt": 1, "outcome": "failed" if step_id == "ship" else "succeeded"}),
            (10, "failed" if step_id == "ship" else "succeeded", {"attempt": 1}),
        )
    ),
    (30, "run.held", "", {"reason": "ship failed"}),
    (900, "act.retry", "ship", {"by": "ada"}),
    (900, "step.running", "ship", {"attempt": 2}),
    (900, "run.running", "", {}),
    (910, "step.succeeded", "ship", {"attempt": 2}),
    (910, "step.running", "mail", {"attempt": 1}),
    (920, "step.succeeded", "mail", {"attempt": 1}),
    (920, "run.completed", "", {}),
]
"""Of a run that blocked after its pivot for a quarter of an hour, until a person retried its third step."""

TRIED = (("reserve", 1, 0, 10), ("pay", 1, 10, 20), ("ship", 1, 20, 30), ("ship", 2, 900, 910), ("mail", 1, 910, 920))


def ended_runs(number: int) -> None:
    """So many runs that ended within the last days, with their logs."""
    from foundation.clock import now
    from orchestration.models import Command, Event, Run
    from orchestration.runs.definitions import checked
    from orchestration.runs.definitions.stored import store
    from orchestration.sagas import PYTHON

    call = {"type": "task", "handler": "trivial"}
    steps = [{"step_id": name, "forward_action": call, "pivot": name == "pay"} for name in STEPS]
    definition, _ = store(checked({"saga_id": "order", "steps": steps}), actor=PYTHON)
    for start in range(0, number, BATCH):
        begun = now() - timedelta(days=5, seconds=start)
        runs = Run.objects.bulk_create(
            Run(
                workflow_id=f"order-{start + place}", engine="celery", definition=definition, status="completed",
                head={"next_seq": len(LOG) + 1}, version=9, handed_over=True, created_at=begun, started_at=begun,
                finished_at=begun + timedelta(seconds=920),
            )
            for place in range(min(BATCH, number - start))
        )  # fmt: skip
        Event.objects.bulk_create(
            Event(run=run, seq=seq, at=begun + timedelta(seconds=at), kind=kind, step_id=step_id, data=data)
            for run in runs
            for seq, (at, kind, step_id, data) in enumerate(LOG, 1)
        )
        Command.objects.bulk_create(row for run in runs for row in _attempts(Command, run, begun))


def _attempts(model: Any, run: Any, begun: datetime) -> Iterator[Any]:
    for step_id, attempt, began, over in TRIED:
        bad = (step_id, attempt) == ("ship", 1)
        yield model(
            run=run, kind="run_action", step_id=step_id, iteration=1, attempt=attempt, status="done", tries=1,
            due_at=begun + timedelta(seconds=began), started_at=begun + timedelta(seconds=began),
            ended_at=begun + timedelta(seconds=over), outcome="failed" if bad else "succeeded",
            error="POST http://ship.local/ship: 503" if bad else "", detail={"status": 503} if bad else {},
        )  # fmt: skip


def back_test(number: int) -> float:
    """Seconds that a back-test of a shipped policy takes over so many runs."""
    from monitoring.core.shipped import SHIPPED
    from monitoring.trials import jobs
    from orchestration.sagas import PYTHON

    ended_runs(number)
    policy = next(one for one in SHIPPED if one.policy_id == "blocked-transient")
    began = time.perf_counter()
    found = jobs.done_now(jobs.ask_back_test(policy, actor=PYTHON)).results
    took = time.perf_counter() - began
    assert found is not None
    assert found["of"] == found["would_have_acted"] == number, found
    return took


def main(number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    print(json.dumps({"figure": back_test(number)}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
