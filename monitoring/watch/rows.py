"""What there is to know of a batch of runs: at most a dozen queries, however many runs there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db.models import Count, Q, QuerySet

from approvals.core.enums import OPEN
from approvals.models import Request
from foundation.clock import database_now
from foundation.db import statements
from monitoring.core.facts import Counted
from monitoring.models import RecoveryAttempt, RunHealth
from monitoring.recovery.storms import targets
from monitoring.watch.figures import OF_ATTEMPTS, counted_attempts, entered_at
from orchestration.actions.http.breaker import LAST_ERROR
from orchestration.core.enums import Outcome, RunStatus, StepStatus, UndoStatus
from orchestration.ledger.live_workers import OF_TEMPORAL, SERVER
from orchestration.models import Command, Event, Message, Run, Step, Worker

MOST_FAILURES, LEAST_FAILURES = 2000, 50
"""Of a batch; of each of its runs, where some have very many."""

MOST_PAIRS = 400
QUIET = (StepStatus.RUNNING, StepStatus.SKIPPED)
READ = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.BACKING_OFF, *QUIET)
OF_NOTE = Q(status__in=READ) | Q(undo__in=(UndoStatus.COMPENSATING, UndoStatus.FAILED))
FAILURES = (Outcome.FAILED, Outcome.RETRYABLE, Outcome.UNKNOWN)
COUNTED = (Outcome.SUCCEEDED, *FAILURES)
Row = TypeVar("Row", Step, Command, Message, Event)


@dataclass(slots=True)
class Rows:
    """The rows of a batch, by the id of their run."""

    now: datetime
    runs: list[Run]
    steps: dict[int, list[Step]] = field(default_factory=dict)
    commands: dict[int, list[Command]] = field(default_factory=dict)
    failures: dict[int, list[Command]] = field(default_factory=dict)
    kept_back: dict[int, list[Command]] = field(default_factory=dict)
    counts: dict[int, Counter[str]] = field(default_factory=dict)
    last_facts: dict[int, datetime] = field(default_factory=dict)
    notes: dict[int, list[Event]] = field(default_factory=dict)
    messages: dict[int, list[Message]] = field(default_factory=dict)
    children: dict[int, list[Run]] = field(default_factory=dict)
    health: dict[int, RunHealth] = field(default_factory=dict)
    requests: dict[int, list[Request]] = field(default_factory=dict)
    alive: dict[str, datetime] = field(default_factory=dict)
    serving: dict[str, dict[str, int]] = field(default_factory=dict)
    had_children: set[int] = field(default_factory=set)
    counted: dict[int, Counted] = field(default_factory=dict)
    entered: dict[int, datetime] = field(default_factory=dict)
    recoveries: dict[int, list[RecoveryAttempt]] = field(default_factory=dict)
    storms: frozenset[str] = frozenset()
    depths: dict[int, int] = field(default_factory=dict)


def rows_of(run_ids: Sequence[int], asked: frozenset[str] = frozenset()) -> Rows:
    """All of it for these runs; ids without a run are left out. `asked`: metrics for which more has to be read."""
    found = Run.objects.filter(pk__in=run_ids).select_related("definition")
    runs = list(found.defer("context", "input_by", "definition__body", "definition__warnings"))
    rows = Rows(now=database_now(), runs=runs)
    open_ids = [run.pk for run in runs if not RunStatus(run.status).is_end]
    sagas = [run.pk for run in runs if run.kind in Run.SAGAS]
    rows.steps = _grouped(Step.objects.filter(OF_NOTE, run_id__in=sagas))
    troubled = [pk for pk in sagas if _has_trouble(rows.steps.get(pk, ()))]
    completed = [run.pk for run in runs if run.status == RunStatus.COMPLETED]
    if completed:
        rows.had_children = set(Run.objects.filter(parent_id__in=completed).values_list("parent_id", flat=True))
    if troubled:
        _read_troubled(rows, troubled)
    if open_ids:
        _read_open(rows, open_ids)
        _read_workers(rows)
    for attempt in RecoveryAttempt.objects.filter(run_id__in=[run.pk for run in runs], chain__gt=0).order_by("pk"):
        rows.recoveries.setdefault(attempt.run_id, []).append(attempt)
    if troubled:
        rows.storms = targets()
    if asked & OF_ATTEMPTS:
        rows.counted = counted_attempts(sagas)
    if "state_seconds" in asked:
        rows.entered = entered_at(open_ids)
    return rows


def _has_trouble(steps: Iterable[Step]) -> bool:
    return any(step.status not in QUIET or step.undo == UndoStatus.FAILED for step in steps)


def _read_open(rows: Rows, open_ids: list[int]) -> None:
    rows.commands = _grouped(
        Command.objects.filter(run_id__in=open_ids, status__in=(Command.READY, Command.RUNNING)).defer(
            "output", "undo_action", "error"
        )
    )
    wanted = set(open_ids)
    still_open = [run for run in rows.runs if run.pk in wanted]
    rows.last_facts = _last_facts(still_open)
    rows.depths = _depths({run.pk: run.parent_id for run in still_open})
    rows.messages = _grouped(Message.objects.filter(run_id__in=open_ids, delivered_at=None))
    for child in Run.objects.filter(parent_id__in=open_ids, finished_at=None):
        rows.children.setdefault(child.parent_id or 0, []).append(child)
    below = [child.pk for children in rows.children.values() for child in children]
    rows.health = {one.run_id: one for one in RunHealth.objects.filter(run_id__in=below)} if below else {}
    own = [run.pk for run in still_open if run.kind not in Run.SAGAS]
    for request in _requests([*below, *own]):
        for pk in {request.run_id, request.run.parent_id or request.run_id}:
            rows.requests.setdefault(pk, []).append(request)
    held = [run.pk for run in rows.runs if run.status == RunStatus.HELD]
    if held:
        found = Event.objects.filter(run_id__in=held, kind__in=("act.hold", "act.release")).order_by("run_id", "seq")
        for event in found:
            rows.notes.setdefault(event.run_id, []).append(event)


def _depths(parents: Mapping[int, int | None]) -> dict[int, int]:
    """How many runs are above each of those that have a parent. A query for each level."""
    depths: dict[int, int] = {}
    below = {pk: parent for pk, parent in parents.items() if parent is not None}
    while below:
        for pk in below:
            depths[pk] = depths.get(pk, 0) + 1
        above = dict(Run.objects.filter(pk__in=set(below.values())).values_list("pk", "parent_id"))
        below = {pk: higher for pk, parent in below.items() if (higher := above.get(parent)) is not None}
    return depths


def _requests(run_ids: list[int]) -> Iterable[Request]:
    if not run_ids:
        return ()
    found = Request.objects.filter(run_id__in=run_ids, status__in=OPEN).select_related("run", "policy")
    return found.defer("content", "earlier", "facts", "edits", "plan", "named", "groups")


def _read_troubled(rows: Rows, troubled: list[int]) -> None:
    failed = Command.objects.filter(kind="run_action", status=Command.DONE, outcome__in=FAILURES)
    rows.failures = _of_each(troubled, failed.defer("output", "undo_action").order_by("-id"))
    waiting = [pk for pk in troubled if any(step.status == StepStatus.BACKING_OFF for step in rows.steps.get(pk, ()))]
    if waiting:
        parked = Command.objects.filter(outcome=Outcome.PARKED, detail__has_key=LAST_ERROR)
        rows.kept_back = _of_each(waiting, parked.defer("output", "undo_action").order_by("id"))
    counted = Command.objects.filter(run_id__in=troubled, kind="run_action", status=Command.DONE, outcome__in=COUNTED)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for pk, outcome, count in counted.values_list("run_id", "outcome").annotate(count=Count("id")):
        counts[pk][outcome] = count
    rows.counts = dict(counts)
    broke = Event.objects.filter(run_id__in=troubled, kind__in=("step.machinery_failed", "undo.machinery_failed"))
    for event in broke.order_by("run_id", "seq"):
        rows.notes.setdefault(event.run_id, []).append(event)


def _of_each(run_ids: list[int], found: QuerySet[Command]) -> dict[int, list[Command]]:
    """Those of each run, in their order. A run with very many does not push those of others out."""
    rows = list(found.filter(run_id__in=run_ids)[:MOST_FAILURES])
    if len(run_ids) > 1 and len(rows) >= MOST_FAILURES:
        most = max(LEAST_FAILURES, MOST_FAILURES // len(run_ids))
        rows = [row for pk in run_ids for row in found.filter(run_id=pk)[:most]]
    return _grouped(rows)


def _read_workers(rows: Rows) -> None:
    for worker in Worker.objects.filter(lease_until__gt=rows.now):
        rows.alive[worker.name.removesuffix(OF_TEMPORAL)] = worker.lease_until
        if ((worker.detail.get("failing") or {}).get(SERVER) or {}).get("since"):
            continue
        served = rows.serving.setdefault(worker.engine, {})
        for queue, threads in (worker.detail.get("queues") or {"default": 1}).items():
            served[queue] = served.get(queue, 0) + int(threads)


def _last_facts(runs: list[Run]) -> dict[int, datetime]:
    """When each run's log was written last, by the number of its last entry, which the run's head has."""
    last = [(run.pk, int(run.head.get("next_seq", 1)) - 1) for run in runs]
    pairs = [pair for pair in last if pair[1] > 0]
    found: dict[int, datetime] = {}
    for start in range(0, len(pairs), MOST_PAIRS):
        part = pairs[start : start + MOST_PAIRS]
        marks = ", ".join(["(%s, %s)"] * len(part))
        text = f"SELECT run_id, at FROM orchestration_event WHERE (run_id, seq) IN (VALUES {marks})"  # noqa: S608
        statement = statements.Statement(text, [cell for pair in part for cell in pair])
        found |= {pk: statements.as_moment(at) for pk, at in statements.rows_of(statement)[0]}
    return found


def _grouped(found: Iterable[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = {}
    for row in found:
        grouped.setdefault(row.run_id, []).append(row)
    return grouped
