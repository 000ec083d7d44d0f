"""What the dashboard and /metrics cost beside many ended runs, in a process of its own. Prints one JSON object."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import django
from django.core.management import call_command

LOOKS = 15
WITHIN_THE_DAY = 2000
"""Runs that ended within the window of the dashboard, however many ended before; and as many are open."""


def ended_runs(number: int) -> None:
    """So many runs of one step that completed, most of them long ago, with their health; copies of one row of each."""
    from django.db import connection

    from benchmarks.monitoring_side import open_runs
    from foundation.clock import now
    from foundation.db.statements import moment
    from monitoring.models import RunHealth
    from orchestration.models import Command, Run, Step

    open_runs(WITHIN_THE_DAY)
    first = Run.objects.earliest("pk")
    Command.objects.create(
        run=first, kind="run_action", step_id="w", attempt=1, due_at=now(), status="done", outcome="succeeded",
        started_at=now(), ended_at=now(),
    )  # fmt: skip
    times = [moment(now() - timedelta(hours=1)), *(moment(now() - timedelta(days=days)) for days in (3, 30, 80))]
    ended = f"CASE WHEN n.i <= {WITHIN_THE_DAY} THEN %s WHEN n.i %% 3 = 0 THEN %s WHEN n.i %% 3 = 1 THEN %s ELSE %s END"
    last = Run.objects.latest("pk").pk
    copied = [
        (Run, {"id": f"{last} + n.i", "workflow_id": "'ended-' || n.i", "status": "'completed'", "finished_at": ended}),
        (Step, {"id": f"{last} + n.i", "run_id": f"{last} + n.i", "status": "'succeeded'"}),
        (Command, {"id": f"{last} + n.i", "run_id": f"{last} + n.i"}),
        (RunHealth, {"run_id": f"{last} + n.i", "ended": "TRUE", "look_at": "NULL", "counted": "2"}),
    ]
    for model, given in copied:
        meta = model._meta  # noqa: SLF001 - documented by Django
        names, table = [str(field.column) for field in meta.concrete_fields], meta.db_table
        values = ", ".join(given.get(name, f"t.{name}") for name in names)
        key = "run_id" if model in (RunHealth, Step, Command) else "id"
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) "
                f"INSERT INTO {table} ({', '.join(names)}) "
                f"SELECT {values} FROM n, (SELECT * FROM {table} WHERE {key} = {first.pk}) t",
                times if model is Run else [],
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def looked(look: Callable[[], object], forget: Callable[[], None]) -> float:
    """Seconds, the median."""
    took = []
    for _ in range(LOOKS):
        forget()
        began = time.perf_counter()
        look()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def main(number: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    from monitoring import dashboard
    from monitoring.watch import metrics

    ended_runs(number)
    told = {
        "dashboard": looked(dashboard.dashboard, dashboard.forget),
        "metrics": looked(metrics.scrape, metrics.forget),
    }
    print(json.dumps(told), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
