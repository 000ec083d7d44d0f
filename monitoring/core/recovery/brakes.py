"""What puts an attempt off: the pause after the one before, budgets of an hour, a circuit that is open. Pure.

A brake never drops an attempt: each says until when it waits, and in words why.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
FACTOR, LONGEST_COOLDOWN, JITTER = 3, 3600.0, 0.2

RESULTS, BAD = 10, 5
"""A circuit opens when so many of the last ten attempts did not work."""

OPEN, LONGEST_OPEN = timedelta(minutes=15), timedelta(hours=4)


def cooldown_until(acted_at: datetime, number: int, seconds: float, seed: str) -> datetime:
    """Until when the attempt after the one with this `number` (from 1), which was acted at `acted_at`, waits.

    Three times as long after each, an hour at most, and up to a fifth more, which `seed` decides, so that runs that
    failed together are not tried again together.
    """
    pause = min(seconds * FACTOR ** (min(number, 20) - 1), LONGEST_COOLDOWN)
    more = JITTER * (zlib.crc32(f"{seed}:{number}".encode()) / 0xFFFFFFFF)
    return acted_at + timedelta(seconds=pause * (1 + more))


def budget_free_at(acted: Sequence[datetime], most: int, now: datetime) -> datetime | None:
    """When one more may act where `most` may within an hour; None: now. `acted`: when others did, in any order."""
    recent = sorted(at for at in acted if at > now - HOUR)
    if len(recent) < most:
        return None
    return recent[len(recent) - most] + HOUR if most > 0 else now + HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Of a policy, a target and an action. `results`: of the last ten attempts, the latest last.

    `open_until`: no attempt before; then one, the trial. `opened`: how often in a row. `trying`: the trial is on.
    """

    results: tuple[bool, ...] = ()
    open_until: datetime | None = None
    opened: int = 0
    trying: bool = False


def lets(circuit: Circuit, now: datetime) -> datetime | None:
    """None where an attempt may be made now; else when to ask again."""
    if circuit.open_until is None:
        return None
    if now < circuit.open_until:
        return circuit.open_until
    return now + timedelta(seconds=10) if circuit.trying else None


def tried(circuit: Circuit) -> Circuit:
    """An attempt goes out; through an open circuit it is the trial."""
    return circuit if circuit.open_until is None else replace(circuit, trying=True)


def told(circuit: Circuit, worked: bool, now: datetime) -> Circuit:
    """A verdict has come."""
    if circuit.open_until is not None:
        if worked and circuit.trying:
            return Circuit()
        return _opened(circuit, now) if circuit.trying else circuit
    results = (*circuit.results, worked)[-RESULTS:]
    after = replace(circuit, results=results)
    return _opened(after, now) if results.count(False) >= BAD else after


def _opened(circuit: Circuit, now: datetime) -> Circuit:
    length = min(OPEN * 2 ** min(circuit.opened, 10), LONGEST_OPEN)
    return Circuit(open_until=now + length, opened=circuit.opened + 1)
