"""Many runs fail at one target: recovery tries one, and more only when that worked. Pure.

A round sends `ramp` attempts and waits for their verdicts. All worked: the next round has twice as many, ten seconds
after this one began. One failed: half as many, after a pause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LEAST, SHARE, MANY = 10, 0.3, 50
WITHIN = timedelta(minutes=5)
"""A storm: so many runs of one target turned critical within this time, and are such a share of their sagas' open runs,
or so many that the share does not matter."""

QUIET = timedelta(minutes=5)
ROUND = timedelta(seconds=10)
PAUSES = (timedelta(seconds=10), timedelta(seconds=30), timedelta(seconds=60))
"""After the first, the second and each later round that failed."""

MOST = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """`sent`, `worked`: of the round in hand, which began at `began`; 0 sent: none is. `failures`: rounds in a row.

    `next_at`: no round before it. `last_at`: when a run turned critical or an attempt failed last.
    """

    ramp: int = 1
    sent: int = 0
    worked: int = 0
    failures: int = 0
    began: datetime
    next_at: datetime
    last_at: datetime


def begins(critical: int, open_runs: int) -> bool:
    """`critical`: runs of the target that turned critical lately; `open_runs`: of their sagas."""
    return critical >= LEAST and (critical >= MANY or critical >= SHARE * max(1, open_runs))


def begun(now: datetime) -> Storm:
    """A storm that begins: one attempt may go at once."""
    return Storm(began=now, next_at=now, last_at=now)


def room(storm: Storm, now: datetime) -> int:
    """How many attempts may be sent now; 0 while a round is in hand or a pause lasts."""
    return 0 if storm.sent or now < storm.next_at else storm.ramp


def sent(storm: Storm, count: int, now: datetime) -> Storm:
    """A round of so many begins."""
    return replace(storm, sent=count, worked=0, began=now) if count else storm


def told(storm: Storm, worked: bool, now: datetime) -> Storm:
    """A verdict has come. The first that failed ends the round; what comes of it later counts no more."""
    if not storm.sent:
        return storm if worked else replace(storm, last_at=now)
    if not worked:
        pause = PAUSES[min(storm.failures, len(PAUSES) - 1)]
        return replace(
            storm, ramp=max(1, storm.ramp // 2), sent=0, worked=0, failures=storm.failures + 1, next_at=now + pause,
            last_at=now,
        )  # fmt: skip
    done = storm.worked + 1
    if done < storm.sent:
        return replace(storm, worked=done)
    return replace(
        storm, ramp=min(MOST, storm.ramp * 2), sent=0, worked=0, failures=0, next_at=max(now, storm.began + ROUND)
    )


def is_over(storm: Storm, now: datetime, waiting: int) -> bool:
    """Nothing failed or turned critical for a while, and no attempt `waiting` or in hand is left."""
    return not waiting and not storm.sent and now - storm.last_at >= QUIET
