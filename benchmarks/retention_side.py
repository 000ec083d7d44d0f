"""A database full of runs that ended, in a process of its own: what they cost, and what pruning takes from a worker.

Prints one JSON object. The runs are written by SQL as the engine leaves them: one step, six events, one attempt.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.core.management import call_command

DAY = 86_400
STARTS, PAGES = 40, 40
PAGE = 51
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) "
ENDED = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({first} - i * {span}.0 / {number}) || ' seconds')",
    "postgresql": "clock_timestamp() - ({first} - i * {span}.0 / {number}) * interval '1 second'",
}
STATE = '{"status": "succeeded", "attempt": 1, "iteration": 1, "executed": true, "undo": "not_needed", "effects": []}'


def old_runs(number: int, first_day: float, last_day: float, *, details: bool) -> None:
    """So many completed runs, ended evenly between so many days ago; without `details` they are condensed."""
    from django.db import connection

    from orchestration.runs.definitions import checked
    from orchestration.runs.definitions.stored import store
    from orchestration.sagas import PYTHON

    action = {"type": "task", "handler": "trivial"}
    definition, _ = store(
        checked({"saga_id": "old", "steps": [{"step_id": "a", "forward_action": action}]}), actor=PYTHON
    )
    when = ENDED[connection.vendor].format(
        first=int(first_day * DAY), span=int((first_day - last_day) * DAY), number=number
    )
    numbers = NUMBERS.format(number=number)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orchestration_run (workflow_id, kind, engine, status, cause, definition_id, context, config, "
            "head, version, parent_step, parent_iteration, parent_attempt, error, handed_over, created_at, started_at, "
            f"finished_at, created_by, created_for, input_by, trace) {numbers} SELECT 'old-' || i, 'saga', 'celery', "
            f"'completed', '', {definition.pk}, '{{\"order\": 17}}', '{{}}', '{{\"next_seq\": 7}}', 6, '', 0, 0, '', "
            f"true, {when}, {when}, {when}, 'bench', '', '[]', '' FROM n"
        )
        ids = "SELECT id{more} FROM orchestration_run WHERE workflow_id LIKE 'old-%%'"
        cursor.execute(
            "INSERT INTO orchestration_step (run_id, step_id, state, version, status, undo) "
            + ids.format(more=f", 'a', '{STATE}', 6, 'succeeded', 'not_needed'"),
            [],
        )
        if details:
            _details(cursor, ids)
        else:
            view = '{"warnings": [], "error": "", "hold_reason": "", "steps": []}'
            more = f", finished_at, '{'0' * 64}', '', '{view}'"
            cursor.execute(
                "INSERT INTO orchestration_archive (run_id, at, sha256, file, view) " + ids.format(more=more), []
            )
        cursor.execute("ANALYZE")


def _details(cursor: Any, ids: str) -> None:
    for seq in range(1, 7):
        more = f", {seq}, finished_at, 'step.succeeded', 'a', '{{\"attempt\": 1}}'"
        cursor.execute(
            "INSERT INTO orchestration_event (run_id, seq, at, kind, step_id, data) " + ids.format(more=more), []
        )
    more = (
        ", 'run_action', '', 'a', 'forward', 1, 1, false, finished_at, 'done', 'w', 1, 1, false, finished_at, "
        "finished_at, 'succeeded', false, '{\"n\": 1}', '', '{}'"
    )
    cursor.execute(
        "INSERT INTO orchestration_command (run_id, kind, timer, step_id, purpose, iteration, attempt, alternative, "
        "due_at, status, worker, epoch, tries, cancel_requested, started_at, ended_at, outcome, maybe, output, error, "
        "detail) " + ids.format(more=more),
        [],
    )


def beside(number: int) -> dict[str, float]:
    """Seconds of a page of the list, of a start, and of a pass with nothing to do, beside so many ended runs; bytes."""
    from benchmarks.celery_side import start
    from foundation.identity.actor import Actor
    from monitoring.retention.estimate import database_bytes
    from monitoring.retention.pruning import Pruning
    from orchestration.runs import queries

    old_runs(number, 399, 91, details=False)
    start(3, 5)
    pages: list[Callable[[], object]] = [
        lambda: [queries.run_row(run) for run in queries.runs()[:PAGE]],
        lambda: [queries.run_row(run) for run in queries.runs(statuses=["completed"])[:PAGE]],
        lambda: list(queries.runs().filter(workflow_id__startswith="old-77")[:PAGE]),
    ]

    def whole_pass() -> None:
        pruning = Pruning(by=Actor(name="bench", door="python"))
        while pruning.step():
            pass
        pruning.finish()

    whole_pass()  # the first one looks at all that has ended
    return {
        "list": max(_median(page, PAGES) for page in pages[:2]),
        "start": _median(lambda: start(3, 1), STARTS),
        "pass": _median(whole_pass, 5),
        "bytes": database_bytes() / number,
    }


def _median(do: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def short_runs(runs: int, *, pruning: bool) -> dict[str, float]:
    """Steps a second of a worker beside 20,000 runs that are to be condensed, and how many of them were meanwhile."""
    from django.db.migrations.recorder import MigrationRecorder

    from benchmarks.celery_side import THREADS, start
    from foundation.clock import now
    from monitoring.retention import beat
    from orchestration.core.queues import DEFAULT
    from orchestration.models import Archive, Run
    from orchestration.runs.relay import relay
    from orchestration.workers.celery.host import Host

    old_runs(20_000, 399, 91, details=True)
    MigrationRecorder.Migration.objects.update(applied=now() - 2 * beat.FIRST_WAITS)
    services: dict[str, Any] = {"orchestration.relay": (relay, 0.2)}
    if pruning:
        services["monitoring.prune"] = (beat.prune_a_little, 60.0)
    host = Host({DEFAULT: THREADS}, services)
    host.start()
    try:
        start(3, 20)
        before, began = Archive.objects.count(), time.perf_counter()
        start(3, runs)
        while Run.objects.filter(finished_at=None).exists():
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        return {"figure": runs * 3 / seconds, "pruned": (Archive.objects.count() - before) / seconds}
    finally:
        host.stop()


def main(what: str, number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    found = beside(number) if what == "beside" else short_runs(number, pruning=what == "pruning")
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
