"""What was seen, as plain values. Moments are seconds of the Unix clock, of one machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request at the peer. `worker`: who sent it; `began` and `ended`: at the peer."""

    key: str
    method: str
    path: str
    worker: str
    began: float
    ended: float
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A fault that was injected. `ended`: what was hit is up again, or was let go on.

    `concerned`: the names of the runs that had a call in flight which the fault concerns.
    """

    kind: str
    target: str
    link: str
    began: float
    ended: float
    concerned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Saga:
    """A run that was started and acknowledged. `found`: the database has it. `progress`: the moments of its events."""

    name: str
    engine: str
    shape: str
    wanted: str
    status: str
    found: bool
    ended: bool
    progress: tuple[float, ...] = ()
