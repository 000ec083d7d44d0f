"""When the next attempt is. Pure."""

from __future__ import annotations

from datetime import timedelta

SECOND, MINUTE, HOUR = 1.0, 60.0, 3600.0
DELAYS: tuple[float, ...] = (
    0.0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""Before each attempt, from the end of the one before."""

ATTEMPTS = len(DELAYS)
SPREAD = 0.1
LONGEST_WISH = 24 * HOUR


def delay(*, made: int, spread: float, retry_after: float | None = None) -> timedelta | None:
    """How long to wait after `made` attempts failed; None when that was the last.

    `spread` (0 to 1) lengthens it by up to a tenth, so that receivers are not met by all at once. The receiver's own
    wish (Retry-After) counts when it is longer, up to a day.
    """
    if made >= ATTEMPTS:
        return None
    wish = min(retry_after or 0.0, LONGEST_WISH)
    return timedelta(seconds=max(DELAYS[made] * (1 + SPREAD * spread), wish))
