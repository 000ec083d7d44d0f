"""Moments that are over, whichever way the reading of the database's clock moves (foundation/clock.py)."""

from __future__ import annotations

from datetime import datetime, timedelta

from foundation.clock import now

SURELY = timedelta(seconds=2)
"""More than a new reading can put the clock back."""


def over() -> datetime:
    """What is due then, or leased until then, is due now."""
    return now() - SURELY
