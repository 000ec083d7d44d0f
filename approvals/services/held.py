"""A request in one's hands: locked, and with everything behind it that was due by now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime

from django.db import transaction

from approvals import folding, ringing
from approvals.core.state import State
from approvals.folding import Held
from approvals.models import Request
from approvals.people import Person
from orchestration import clock, sql
from orchestration.errors import ZenError


@contextmanager
def held_now(run_pk: int) -> Iterator[tuple[Held, datetime]]:
    """The request and the time it is, in a transaction of its own.

    Whatever was due by now happens first, though no alarm has rung yet: so a late word is late. When that ends the
    request, the end stays, and what the caller refuses because of it is raised only after the commit: raised inside,
    it would leave the request open until the alarm.
    """
    late: ZenError | None = None
    with sql.writing():
        held = folding.hold(run_pk)
        at = database_now(held.state)
        ended = ringing.ring(held, at) and held.state.status.is_end
        try:
            with transaction.atomic() if ended else nullcontext():  # what the caller wrote before it refused goes
                yield held, at
        except ZenError as refusal:
            if not ended:
                raise
            late = refusal
    if late is not None:
        raise late


def database_now(state: State) -> datetime:
    """The clock that everybody shares, under the lock; never before what has happened already."""
    moment = clock.database_now()
    latest = max((vote.at for vote in state.votes), default=moment)
    return max(moment, latest)


def know(request: Request, person: Person) -> None:
    """Keep the name of somebody whom its policy did not name, and who takes part."""
    if person.id not in request.people:
        request.people = {**request.people, person.id: person.plain()}
        request.save(update_fields=["people"])
