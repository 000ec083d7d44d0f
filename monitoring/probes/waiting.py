"""What waits for workers and engines: nobody to perform it, a queue that is behind, orders that are not handed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from foundation.clock import database_now
from monitoring.core.health import Issue
from monitoring.core.site import troubles
from monitoring.core.site.troubles import MOST_COUNTED, Waiting
from orchestration.core.enums import RunStatus
from orchestration.engines.registry import ENGINES
from orchestration.ledger.live_workers import TO_START, engines_alive, orphaned, queues_served
from orchestration.models import Command, Message, Run


def no_worker() -> Iterator[Issue]:
    """For each engine without a living worker for which something waits: that it does."""
    now, alive = database_now(), set(engines_alive())
    for engine in ENGINES:
        if engine not in alive:
            waiting = [_steps(engine, now), *_orders(engine), _not_begun(engine)]
            issue = troubles.no_worker(engine, waiting, TO_START[engine], now)
            if issue is not None:
                yield issue


def queue_behind() -> Iterator[Issue]:
    """For each queue that is served: how late the next attempts are."""
    now = database_now()
    for engine in set(engines_alive()):
        for queue, threads in queues_served(engine).items():
            ready = Command.objects.filter(
                kind="run_action", status=Command.READY, queue=queue, due_at__lte=now, run__engine=engine
            ).order_by("turn", "id")
            issue = troubles.queue_behind(engine, queue, threads, _of(ready, "due_at"), now)
            if issue is not None:
                yield issue


def relay_behind() -> Iterator[Issue]:
    """For each engine that answers and has a worker: what is stored and was not handed over."""
    now = database_now()
    for engine in set(engines_alive()):
        waiting = _orders(engine)
        if any(one.count for one in waiting) and ENGINES[engine].reach().ok:
            issue = troubles.relay_behind(engine, waiting, now)
            if issue is not None:
                yield issue


def unreachable() -> Iterator[tuple[str, str, str]]:
    """(engine, why, what to do) of those whose server does not answer, if it is set up or runs need it."""
    for name, engine in ENGINES.items():
        needed = bool(settings.TEMPORAL_ADDRESS) or Run.objects.filter(finished_at=None, engine=name).exists()
        reach = engine.reach() if needed else None
        if reach is not None and not reach.ok:
            yield name, reach.why[:300], reach.remedy


def engine_unreachable(engine: str, since: datetime, why: str, remedy: str) -> Issue:
    """That an engine does not answer, with what waits for it."""
    runs = _of(Run.objects.filter(finished_at=None, engine=engine).order_by(), "created_at", "run", "runs")
    acts = _of(_undelivered(engine), "created_at", "act", "acts")
    return troubles.engine_unreachable(engine, since, why, remedy, runs=runs, acts=acts)


def _steps(engine: str, now: datetime) -> Waiting:
    """Attempts and timers that are due, and attempts that a lost worker had in hand."""
    due = Command.objects.filter(run__engine=engine, status=Command.READY, due_at__lte=now)
    ready = _of(due.filter(kind="run_action").order_by("queue", "turn", "id"), "due_at")
    timers = _of(due.filter(kind="start_timer").order_by("due_at", "id"), "due_at")
    lost = _of(orphaned(Command.objects.filter(run__engine=engine)).order_by(), "started_at")
    moments = [one.oldest for one in (ready, timers, lost) if one.oldest is not None]
    count = min(ready.count + timers.count + lost.count, MOST_COUNTED)
    return Waiting(count=count, oldest=min(moments, default=None))


def _orders(engine: str) -> list[Waiting]:
    """Runs and acts that are stored and not handed over."""
    runs = Run.objects.filter(engine=engine, handed_over=False, finished_at=None).order_by()
    return [_of(runs, "created_at", "run", "runs"), _of(_undelivered(engine), "created_at", "act", "acts")]


def _undelivered(engine: str) -> QuerySet[Message]:
    return Message.objects.filter(run__engine=engine, delivered_at=None).order_by("id")


def _not_begun(engine: str) -> Waiting:
    """Runs that the engine has and that no worker has begun."""
    found = Run.objects.filter(engine=engine, kind__in=Run.SAGAS, status=RunStatus.PENDING, handed_over=True).order_by()
    return _of(found, "created_at", "run to begin", "runs to begin")


def _of(rows: QuerySet[Command] | QuerySet[Run] | QuerySet[Message], field: str, one: str = "step",
        many: str = "steps") -> Waiting:  # fmt: skip
    """The first MOST_COUNTED rows, whatever else there is."""
    moments = [at for at in rows.values_list(field, flat=True)[:MOST_COUNTED] if at is not None]
    return Waiting(count=len(moments), oldest=min(moments, default=None), one=one, many=many)
