"""Runs and states as this process last committed them, so that a long run is not read anew at every event."""

from __future__ import annotations

import threading
from collections import OrderedDict

from orchestration.core.saga.state import SagaState
from orchestration.models import Run

_MOST = 512
_kept: OrderedDict[int, tuple[Run, SagaState]] = OrderedDict()
_lock = threading.Lock()


def get(run_id: int) -> tuple[Run, SagaState] | None:
    """What this process committed last for a run; None if it has nothing.

    A writer compares the version with the row's under the run's lock first, and changes only a copy of the run.
    """
    return _kept.get(run_id)


def keep(run: Run, state: SagaState) -> None:
    """Keep a run and its state after the commit; an ended run is dropped."""
    with _lock:
        _kept.pop(run.pk, None)
        if not state.status.is_end:
            _kept[run.pk] = run, state
        if len(_kept) > _MOST:
            _kept.popitem(last=False)


def run_of(run_id: int) -> Run:
    """The run, for what never changes of it: its definition, context and handle."""
    found = get(run_id)
    return found[0] if found else Run.objects.get(pk=run_id)


def forget() -> None:
    """Empty the cache: ids start anew in a fresh test database."""
    with _lock:
        _kept.clear()
