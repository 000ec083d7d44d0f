"""How long a failed row waits: exponentially longer each time (`after`), or by a table (`after_by_table`).

The rules themselves, `pause` and `scheduled`, are pure: chance comes in as `spread`, 0 to 1, drawn anew for each wait.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

LEAST_SECONDS, BASE_SECONDS, LONGEST_SECONDS = 1.0, 5.0, 1800.0
SPREAD = 0.1
LONGEST_WISH = 86_400.0


def after(attempts: int, *, most: int, retry_after: float | None = None) -> timedelta | None:
    """The wait after so many attempts failed, by `pause`; None when that was the last of `most`."""
    return None if attempts >= most else pause(attempts=attempts, spread=_drawn(), retry_after=retry_after)


def after_by_table(delays: Sequence[float], attempts: int, *, retry_after: float | None = None) -> timedelta | None:
    """The wait after so many attempts failed, by `scheduled`; None when the table is at its end."""
    return scheduled(delays, made=attempts, spread=_drawn(), retry_after=retry_after)


def _drawn() -> float:
    return random.random()  # noqa: S311 - no secret


def pause(*, attempts: int, spread: float, retry_after: float | None = None) -> timedelta:
    """After so many attempts failed: exponential with full jitter, 1 s to half an hour (5 s, 10 s, 20 s … at most).

    The receiver's own wish (Retry-After, in seconds) counts instead, up to a day, and up to a tenth longer.
    """
    wish = min(max(retry_after or 0.0, 0.0), LONGEST_WISH)
    if wish:
        return timedelta(seconds=wish * (1 + SPREAD * spread))
    most = min(LONGEST_SECONDS, BASE_SECONDS * 2.0 ** min(max(attempts - 1, 0), 20))
    return timedelta(seconds=max(LEAST_SECONDS, most * spread))


def scheduled(
    delays: Sequence[float], *, made: int, spread: float, retry_after: float | None = None
) -> timedelta | None:
    """After `made` attempts failed: the delay in seconds before the next by its table; None when that was the last.

    `spread` lengthens it by up to a tenth, so that receivers are not met by all at once. The receiver's own wish
    (Retry-After, in seconds) counts when it is longer, up to a day.
    """
    if made >= len(delays):
        return None
    wish = min(retry_after or 0.0, LONGEST_WISH)
    return timedelta(seconds=max(delays[made] * (1 + SPREAD * spread), wish))
