"""Who is asked and has heard nothing: every message to them so far is dead. Their decision is waited for in vain."""

from __future__ import annotations

from collections.abc import Iterable

from approvals.models import Request
from approvals.notices import subject_of
from notifications.models import Delivery

GOING = (Delivery.SENT, Delivery.QUEUED, Delivery.SENDING)


def not_reached(request: Request, people: Iterable[str]) -> dict[str, str]:
    """Why, by person id. Whoever got one of the messages, or may still get it, has no entry."""
    rows = Delivery.objects.filter(
        notice__subject=subject_of(request), person_key__in=list(people), updates=None
    ).order_by("id")
    faults: dict[str, str] = {}
    heard: set[str] = set()
    for key, own, own_error, into, into_error in rows.values_list(
        "person_key", "status", "error", "into__status", "into__error"
    ):
        status, error = (into, into_error) if own == Delivery.COALESCED else (own, own_error)
        if status in GOING:
            heard.add(key)
        elif status == Delivery.DEAD:
            faults[key] = error
    return {key: why for key, why in faults.items() if key not in heard}
