"""Hand over what was stored and not yet taken: runs to their engine, messages to their runs.

Each engine is served by itself, so one that is away delays no other; what fails by itself is put off by itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from foundation.clock import now
from foundation.errors import Unreachable
from foundation.guarded import guarded, logged
from orchestration.engines.base import Engine
from orchestration.engines.registry import ENGINES
from orchestration.models import Message, Run
from orchestration.runs.delivery import deliver

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
MOST_LOST = 3
"""Calls of one pass that an engine leaves unanswered although it is there: each may have taken all its time."""

SOONEST, LATEST = timedelta(seconds=5), timedelta(minutes=1)
"""What failed is tried again after a tenth of its age, within these."""

_passing: dict[str, threading.Lock] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """`waiting`: what is put off if it fails; with a message all of its run, so that they keep their order."""

    name: str
    run_pk: int
    since: datetime
    waiting: QuerySet[Any]
    hand_over: Callable[[], object]

    def handed_over(self) -> None:
        self.hand_over()

    def put_off(self) -> None:
        at = now()
        self.waiting.update(retry_at=at + min(max((at - self.since) / 10, SOONEST), LATEST))


def relay() -> int:
    """Hand over what waits, oldest first, and after it what was put off; returns how many were handed over."""
    return sum(_relay_to(engine) for engine in list(ENGINES.values()))


def _relay_to(engine: Engine) -> int:
    """One thread of a process at a time: an engine that answers slowly must not have them all."""
    passing = _passing.setdefault(engine.name, threading.Lock())
    if not passing.acquire(blocking=False):
        return 0
    try:
        return _pass(engine)
    finally:
        passing.release()


def _pass(engine: Engine) -> int:
    done = lost = 0
    stuck: set[int] = set()
    for item in chain(_hand_overs(engine), _deliveries(engine)):
        if item.run_pk in stuck:
            continue
        error = guarded(item.handed_over, lambda error: error)
        if error is None:
            done += 1
            continue
        if isinstance(error, Unreachable):
            lost += 1
            if not engine.reach().ok:
                log.warning("the %s engine is away, what waits for it stays stored: %s", engine.name, error)
                break
            log.warning("%s waits: %s", item.name, error)
        else:
            logged(log, "%s could not be handed to the %s engine", item.name, engine.name)(error)
        item.put_off()
        stuck.add(item.run_pk)
        if lost == MOST_LOST:
            break
    return done


def _hand_overs(engine: Engine) -> Iterator[_Item]:
    for run in _due(Run.objects.filter(engine=engine.name, handed_over=False)):
        yield _Item(
            name=f"run {run}",
            run_pk=run.pk,
            since=run.created_at,
            waiting=Run.objects.filter(pk=run.pk),
            hand_over=partial(engine.take, run),
        )


def _deliveries(engine: Engine) -> Iterator[_Item]:
    """Messages of runs that their engine has taken; to others a run would seem to have ended.

    What came after a message that was put off waits behind it.
    """
    undelivered = Message.objects.filter(delivered_at=None)
    before = undelivered.filter(run=OuterRef("run"), pk__lt=OuterRef("pk"), retry_at__isnull=False)
    in_turn = Q(retry_at__isnull=False) | ~Exists(before)
    of_engine = undelivered.filter(in_turn, run__engine=engine.name, run__handed_over=True)
    for message in _due(of_engine.select_related("run")):
        yield _Item(
            name=f"message {message} of run {message.run}",
            run_pk=message.run_id,
            since=message.created_at,
            waiting=undelivered.filter(run=message.run),
            hand_over=partial(deliver, message),
        )


def _due(waiting: QuerySet[Any]) -> QuerySet[Any]:
    due = waiting.filter(Q(retry_at=None) | Q(retry_at__lte=now()))
    return due.order_by(F("retry_at").asc(nulls_first=True), "id")[:MOST_AT_ONCE]
