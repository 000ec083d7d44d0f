"""The doorbell of the own engine: makes idle threads look, of this process and of others. See notifications/bell.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from notifications import bell
from orchestration.clock import now

WORK = "orchestration.work"
SOON = timedelta(seconds=2)
"""Timers that are due later are found by the look of each second."""


class Host(Protocol):
    """The threads of this process that work for the engine."""

    def ring(self, queue: str, count: int) -> int:
        """Wake so many idle threads of a queue; returns how many there were."""

    def ring_all(self) -> None: ...

    def ring_for_timer(self) -> None: ...


_host: Host | None = None


def hosted_by(host: Host | None) -> None:
    """From now on this process has such threads; None: no more."""
    global _host
    _host = host
    if host is None:
        bell.hosts_no_more(WORK)
    else:
        bell.hosts(WORK, host.ring_all)


def ring() -> None:
    """Something may be ready, in any queue. Never fails, never waits."""
    bell.wake(WORK)
    bell.ring_elsewhere(WORK)


def ring_for(queue: str, count: int) -> None:
    """So many actions of a queue have become ready. Others hear of it where this process has not threads enough."""
    if _host is None or _host.ring(queue, count) < count:
        bell.ring_elsewhere(WORK)


def ring_for_timer(due: datetime) -> None:
    if _host is not None and due - now() < SOON:
        _host.ring_for_timer()
