"""How much waits for somebody."""

from __future__ import annotations

from typing import Any

from approvals import selectors

MOST = 99


def waiting_number(user: Any) -> str:
    """'' for nothing, and no more than 99+: counting further helps nobody."""
    found = selectors.inbox(user).order_by().values("pk")[: MOST + 1].count()
    return "" if not found else str(found) if found <= MOST else f"{MOST}+"
