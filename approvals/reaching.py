"""Who is asked and has heard nothing: no message to them has arrived, or will in time. They are waited for in vain."""

from __future__ import annotations

from collections.abc import Iterable

from approvals.models import Request
from approvals.notices import subject_of
from approvals.people import Person
from approvals.times import time_in
from notifications import message as notified
from notifications.models import Delivery
from notifications.people import unreachable

GOING = (Delivery.SENT, Delivery.QUEUED, Delivery.SENDING)


def not_reached(request: Request, people: Iterable[str]) -> dict[str, str]:
    """Why, by person id. Whoever got one of the messages, or may still get it in time, has no entry."""
    rows = Delivery.objects.filter(
        notice__subject=subject_of(request), person_key__in=list(people), updates=None
    ).order_by("id")
    faults: dict[str, str] = {}
    heard: set[str] = set()
    end = request.expires_at
    for key, own, own_error, due_at, into, into_error in rows.values_list(
        "person_key", "status", "error", "due_at", "into__status", "into__error"
    ):
        status, error = (into, into_error) if own == Delivery.COALESCED else (own, own_error)
        if status == Delivery.QUEUED and end is not None and due_at >= end:
            faults[key] = f"the message goes at {time_in(request, due_at)}, and that is after the deadline"
        elif status in GOING:
            heard.add(key)
        elif status == Delivery.DEAD or (status == Delivery.CANCELLED and error):  # muted, or told too often already
            faults[key] = error
    return {key: why for key, why in faults.items() if key not in heard}


def unreachable_among(people: Iterable[Person]) -> dict[str, str]:
    """Whom no message that is not urgent would reach now, by person id, and why: no address, or muted."""
    return unreachable(
        [notified.Person(user_id=one.user_id, name=one.name, email=one.email, id=one.id) for one in people]
    )
