"""Gives commands their turns: a fair place in their queue for each person who started runs."""

from __future__ import annotations

import threading
import time
from functools import lru_cache

from orchestration.core.fairness import Turns
from orchestration.engines.celery import claims
from orchestration.models import Command, Run

LOOK_SECONDS = 1.0
"""A process that claims nothing itself looks up so often which turn is being served, when it needs to know."""

_WHO = ("created_for_id", "created_by_id", "created_for", "created_by")

_turns = Turns()
_known_at: dict[str, float] = {}
_lock = threading.Lock()


def assign_turn(run: Run, queue: str, in_flight: int) -> int:
    """The turn of the run's next action in a queue. `in_flight`: which of its attempts in flight this is, from 1."""
    person = _person_of(run)
    _look(queue)
    with _lock:
        return _turns.give(queue, person, in_flight)


def taken(rows: list[Command]) -> None:
    """These actions were claimed by this process."""
    with _lock:
        for row in rows:
            _turns.serves(row.queue, row.turn)


def forget() -> None:
    """Empty this process's memory, as of a process that has just begun."""
    global _turns
    with _lock:
        _turns = Turns()
        _known_at.clear()
    _owner_of.cache_clear()


def _look(queue: str) -> None:
    at = time.monotonic()
    if at - _known_at.get(queue, -LOOK_SECONDS) < LOOK_SECONDS:
        return
    _known_at[queue] = at
    first = claims.first_turn(queue)
    with _lock:
        _turns.looked(queue, first)


def _person_of(run: Run) -> str:
    """Who started the run; of a child, who started the run at the head of its family."""
    if run.parent_id is not None:
        return _owner_of(run.parent_id)
    return str(run.created_for_id or run.created_by_id or run.created_for or run.created_by)


@lru_cache(maxsize=4096)
def _owner_of(run_id: int) -> str:
    return _person_of(Run.objects.only("parent_id", *_WHO).get(pk=run_id))
