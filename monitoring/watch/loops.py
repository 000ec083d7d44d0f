"""Whose turn it is to do what is done again and again: one holder at a time, another within seconds of its end."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from foundation.clock import database_now
from foundation.db import statements
from monitoring.models import Loop

LEASE = timedelta(seconds=10)
RENEW = timedelta(seconds=4)
"""Written anew when so much of the lease is left, so that an idle site writes little."""

WATCH, ROUND, SITE, METRICS, PRUNE = "watch", "round", "site", "metrics", "prune"
SAGAS, HEARTBEAT, WORKFLOWS, HISTORIES = "sagas", "heartbeat", "workflows", "histories"


@dataclass(slots=True)
class Pass:
    """One turn: what it has to tell of itself. `lag`: seconds that the oldest thing done was late."""

    began: float
    lag: float = 0.0
    detail: dict[str, Any] = field(default_factory=dict)


def me() -> str:
    """This process, in a name that no other has."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def held(name: str, every: timedelta) -> bool:
    """Whether this process may do it now: the last time is `every` ago, and nobody else has the turn."""
    now = database_now()
    row = Loop.objects.filter(name=name).values("holder", "until", "at").first()
    if row is None:
        make(name)
        row = {"holder": "", "until": None, "at": None}
    if row["at"] is not None and row["at"] > now - every:
        return False
    until = row["until"]
    if until is not None and until > now:
        if row["holder"] != me():
            return False
        if until - now > RENEW:
            return True
    with statements.writing():
        return bool(
            Loop.objects.filter(name=name, holder=row["holder"], until=row["until"]).update(
                holder=me(), until=now + LEASE
            )
        )


def make(name: str) -> None:
    """Its row, should there be none yet."""
    Loop.objects.bulk_create([Loop(name=name)], ignore_conflicts=True)


@contextmanager
def turn(name: str) -> Iterator[Pass]:
    """Note that it was done, how long it took and how late it was; nothing of a pass that fails."""
    one = Pass(began=time.monotonic())
    yield one
    done(name, took=time.monotonic() - one.began, lag=one.lag, detail=one.detail)


def done(name: str, *, took: float, lag: float, detail: Mapping[str, Any]) -> None:
    """Note a pass that is over. `took`, `lag`: seconds."""
    told = {"at": database_now(), "took": round(took, 4), "lag": round(lag, 3), "detail": dict(detail)}
    with statements.writing():
        Loop.objects.filter(name=name).update(**told)


def told(name: str) -> Mapping[str, Any]:
    """What the loop told last; {} before its first pass."""
    return Loop.objects.filter(name=name).values("holder", "until", "at", "took", "lag", "detail").first() or {}
