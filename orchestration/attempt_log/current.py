"""Which attempt the running code belongs to. Follows the context (contextvars), as `telemetry.bind` does."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from foundation import telemetry
from foundation.clock import now
from orchestration.attempt_log.buffer import BUFFER, DROPPED
from orchestration.attempt_log.line import LONGEST, MOST_LINES, RAW, AttemptLog, Line, Stream

KEPT = 256
"""Attempts that are remembered after their end: one that is performed again under the same claim goes on counting."""

_current: ContextVar[AttemptLog | None] = ContextVar("zen_attempt_log", default=None)
_recent: OrderedDict[tuple[object, ...], AttemptLog] = OrderedDict()
_lock = threading.Lock()


def current() -> AttemptLog | None:
    """The attempt that the running code belongs to; None outside of one."""
    return _current.get()


@contextmanager
def attempt(
    *, run_id: int, workflow_id: str, engine: str, step_id: str, purpose: str, iteration: int, attempt: int, claim: int
) -> Iterator[None]:
    """What is logged inside belongs to this attempt. `claim`: the epoch of its claim."""
    log = _log_of(run_id, step_id, purpose, iteration, attempt, claim)
    token = _current.set(log)
    try:
        with telemetry.bind(workflow_id=workflow_id, step_id=step_id, attempt=str(attempt), engine=engine):
            yield
    finally:
        _current.reset(token)
        if log.lines or log.left_out:
            _end(log)


def add(
    log: AttemptLog, text: str, *, level: int, logger: str, is_whole: bool = True, stream: Stream | None = None
) -> None:
    """Keep a line of the attempt, within its bounds. Never waits and never raises for the caller."""
    is_whole, text = is_whole and len(text) <= RAW, text[:RAW]
    size = min(len(text) if text.isascii() else len(text.encode(errors="replace")), LONGEST)
    number = log.number(size)
    if not number:
        telemetry.count(DROPPED)
        return
    trace = telemetry.bound().get("trace_id", "")[:32]
    line = Line(
        log=log, n=number, at=now(), level=level, logger=logger[:100], text=text, trace_id=trace,
        is_whole=is_whole, stream=stream,
    )  # fmt: skip
    BUFFER.add(line)


def _end(log: AttemptLog) -> None:
    number = log.before + MOST_LINES + 1
    BUFFER.add(
        Line(log=log, n=number, at=now(), level=logging.WARNING, logger=__name__, text="", is_clean=True, is_end=True)
    )


def _log_of(run_id: int, step_id: str, purpose: str, iteration: int, attempt: int, claim: int) -> AttemptLog:
    name = (run_id, step_id, purpose, iteration, attempt, claim)
    with _lock:
        found = _recent.get(name)
        if found is None:
            found = _recent[name] = AttemptLog(
                run_id=run_id, step_id=step_id, purpose=purpose, iteration=iteration, attempt=attempt, claim=claim
            )
            if len(_recent) > KEPT:
                _recent.popitem(last=False)
        return found


def forget() -> None:
    """Remember no attempt. For tests: ids begin anew after each."""
    with _lock:
        _recent.clear()
