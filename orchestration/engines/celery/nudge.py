"""Nudges of the own engine: make idle threads look, of this process and of others (`foundation.nudge`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from foundation import nudge
from foundation.clock import now

WORK = "orchestration.work"
SOON = timedelta(seconds=2)
"""Timers that are due later are found by the look of each second."""


class Host(Protocol):
    """The threads of this process that work for the engine."""

    def wake_threads(self, queue: str, count: int) -> int:
        """Wake so many idle threads of a queue; returns how many there were."""

    def wake_all(self) -> None:
        """Wake all idle threads."""

    def wake_timers(self) -> None:
        """Wake the thread that waits for timers, so that it reads anew when the next one is due."""


_host: Host | None = None


def set_host(host: Host | None) -> None:
    """This process has threads that work for the engine from now on; None: not any more."""
    global _host
    _host = host
    if host is None:
        nudge.stop_serving(WORK)
    else:
        nudge.serve_here(WORK, host.wake_all)


def nudge_all() -> None:
    """Something may be ready, in any queue. Never fails, never waits."""
    nudge.wake(WORK)
    nudge.nudge_elsewhere(WORK)


def nudge_queue(queue: str, count: int) -> None:
    """So many actions of a queue have become ready. Other processes are nudged if this one has too few idle threads."""
    if _host is None or _host.wake_threads(queue, count) < count:
        nudge.nudge_elsewhere(WORK)


def nudge_for_timer(due: datetime) -> None:
    """A timer was written that is due then (aware); the timer thread is woken if that is soon."""
    if _host is not None and due - now() < SOON:
        _host.wake_timers()
