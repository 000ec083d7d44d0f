"""Hand over what was stored and not yet taken: runs to their engine, messages to their runs."""

from __future__ import annotations

import logging

from orchestration.delivery import deliver
from orchestration.engines.registry import ENGINES
from orchestration.errors import Unreachable
from orchestration.models import Message, Run

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500


def relay() -> int:
    """Deliver what waits, oldest first; returns how many. An engine that is away keeps its own waiting, no other."""
    done = 0
    away: set[str] = set()
    for run in Run.objects.filter(handed_over=False)[:MOST_AT_ONCE]:
        done += _unless_away(away, run.engine, lambda run=run: ENGINES[run.engine].take(run))
    for message in Message.objects.filter(delivered_at=None).select_related("run")[:MOST_AT_ONCE]:
        engine = message.run.engine
        done += _unless_away(away, engine, lambda message=message: deliver(message))
    return done


def _unless_away(away: set[str], engine: str, act: object) -> bool:
    if engine in away:
        return False
    try:
        act()  # type: ignore[operator]
    except Unreachable as error:
        away.add(engine)
        log.warning("the %s engine is away, what waits for it stays stored: %s", engine, error)
        return False
    return True
