"""When each attempt is."""

from __future__ import annotations

SECOND, MINUTE, HOUR = 1.0, 60.0, 3600.0
DELAYS: tuple[float, ...] = (
    0.0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""Before each attempt, from the end of the one before."""

ATTEMPTS = len(DELAYS)
