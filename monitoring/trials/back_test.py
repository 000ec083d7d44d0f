"""What a policy would have done about the runs that ended within the last days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from foundation.clock import database_now, iso
from monitoring.core.matching import arm
from monitoring.core.policy import RecoveryPolicy, from_body
from monitoring.core.replay.deciding import decide
from monitoring.core.replay.summary import add, nothing, told
from monitoring.models import Job
from monitoring.trials.histories import MOST_ENTRIES, histories
from monitoring.watch.judge import norms_for
from orchestration.models import Run

MOST_RUNS, MOST_DAYS, DAYS = 10_000, 400, 14
AT_ONCE = 50


def begin(policy: RecoveryPolicy, days: int) -> tuple[dict[str, Any], int]:
    """Where it begins, and how many runs there are to look at."""
    until = database_now()
    work = {"since": iso(until - timedelta(days=days)), "until": iso(until), "after": None, "totals": nothing()}
    return work, _runs(policy, work)[:MOST_RUNS].count()


def portion(job: Job) -> None:
    """Look at some more runs, the latest first; the results once there is none left."""
    policy = from_body(job.body["policy"])
    armed, work = arm(policy), job.work
    until = datetime.fromisoformat(work["until"])
    found = _runs(policy, work)[: max(0, min(AT_ONCE, MOST_RUNS - job.done))]
    rows = _within(found.values_list("pk", "finished_at", "definition__saga_id", "head"))
    norms = norms_for({saga_id for _, _, saga_id, _ in rows})
    for workflow_id, history in histories([row[0] for row in rows]):
        if history is None:
            work["totals"]["left_out"] += 1
        else:
            add(work["totals"], workflow_id, decide(history, armed, norms, until))
    job.done += len(rows)
    if rows:
        work["after"] = [iso(rows[-1][1]), rows[-1][0]]
    else:
        job.results = told(work["totals"], armed)


def _within(rows: Iterable[tuple[int, Any, str, dict[str, Any]]]) -> list[tuple[int, Any, str, dict[str, Any]]]:
    """As many of the runs as have MOST_ENTRIES entries together, one at least."""
    found: list[tuple[int, Any, str, dict[str, Any]]] = []
    entries = 0
    for row in rows:
        entries += min(int(row[3].get("next_seq", 1)), MOST_ENTRIES)
        if found and entries > MOST_ENTRIES:
            break
        found.append(row)
    return found


def _runs(policy: RecoveryPolicy, work: dict[str, Any]) -> QuerySet[Run]:
    """Sagas alone: approvals have no log that a policy could be held against."""
    since, until = datetime.fromisoformat(work["since"]), datetime.fromisoformat(work["until"])
    found = Run.objects.filter(kind__in=Run.SAGAS, finished_at__gte=since, finished_at__lte=until)
    if "*" not in policy.workflow_types:
        sagas = [one.removeprefix("saga:") for one in policy.workflow_types if one.startswith("saga:")]
        found = found.filter(Q(kind__in=policy.workflow_types) | Q(definition__saga_id__in=sagas))
    if work["after"]:
        at, pk = datetime.fromisoformat(work["after"][0]), work["after"][1]
        found = found.filter(Q(finished_at__lt=at) | Q(finished_at=at, pk__lt=pk))
    return found.order_by("-finished_at", "-pk")
