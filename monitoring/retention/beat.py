"""What workers do of it by themselves: each hour a minute of work, one worker at a time, a little at a time."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.conf import settings

from foundation.clock import database_now
from foundation.db.migrated import migrated_at
from foundation.identity.actor import CONSOLE_ROLES, Actor
from monitoring.retention.pruning import Pruning
from monitoring.watch import loops

EVERY = timedelta(hours=1)
LONGEST = 1200.0
"""Seconds that a pass takes, its rests included: a minute of work."""
AT_A_TIME = 0.1
"""Seconds of work, after which it rests."""
REST = 19
"""So many times as long as it worked, since it shares the process with the steps of a worker."""
FIRST_WAITS = timedelta(days=7)
"""After the release that brings monitoring: time to set what is kept before anything goes."""
BY = Actor(name="retention", door="engine", roles=CONSOLE_ROLES)

_passing: list[tuple[Pruning, float]] = []


def prune_a_little() -> float | None:
    """A part of this hour's pass, if it is this process's turn; returns the seconds to rest before the next part."""
    if not settings.ZEN_PRUNE:
        return None
    if not _passing and (begins := begins_at()) is not None and begins > database_now():
        return None
    if not loops.held(loops.PRUNE, timedelta(0) if _passing else EVERY):
        _passing.clear()
        return None
    if not _passing:
        _passing.append((Pruning(by=BY, carry_on=True), time.monotonic() + LONGEST))
    pruning, until = _passing.pop()  # gone, should it raise
    began = time.monotonic()
    if work(pruning) and time.monotonic() < until:
        _passing.append((pruning, until))
        return REST * (time.monotonic() - began)
    pruning.finish()
    return None


def work(pruning: Pruning) -> bool:
    """Batches for a tenth of a second, one at least; whether there is more to do."""
    enough = time.monotonic() + AT_A_TIME
    more = pruning.step()
    while more and time.monotonic() < enough:
        more = pruning.step()
    return more


def begins_at() -> datetime | None:
    """When workers begin to prune: a week after monitoring's tables were made. None where that is not known."""
    first = migrated_at("monitoring")
    return first + FIRST_WAITS if first is not None else None
