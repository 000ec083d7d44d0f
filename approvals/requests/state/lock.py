"""Lock a request for an act, with everything applied that was due before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from approvals.core.approval.events import ClockReached, Resumed
from approvals.core.approval.flow import decide
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from approvals.core.approval.timers import next_due
from approvals.core.enums import Status
from approvals.models import Request
from approvals.policies.principals import Person
from approvals.requests.state.delivery_listener import apply_missed_deliveries
from approvals.requests.state.eligibility import restore_eligible
from approvals.requests.state.locked_request import LockedRequest, lock_request
from foundation import clock
from foundation.db import statements
from foundation.errors import ZenError
from notifications.delivery.outages import outages_after


@contextmanager
def locked_now(run_pk: int) -> Iterator[tuple[LockedRequest, datetime]]:
    """The locked request and the database's time, in a transaction of its own.

    Everything that was due by now happens first, although its timer has not fired: so a late decision is late. When
    that ends the request, the end is committed, and the caller's refusal is raised after the commit: raised inside, it
    would leave the request open until the timer.
    """
    late: ZenError | None = None
    with statements.writing():
        locked = lock_request(run_pk)
        at = database_now(locked.state)
        ended = fire_due(locked, at) and locked.state.status.is_end
        try:
            with transaction.atomic() if ended else nullcontext():  # what the caller wrote before it refused goes
                yield locked, at
        except ZenError as refusal:
            if not ended:
                raise
            late = refusal
    if late is not None:
        raise late


def database_now(state: State) -> datetime:
    """The database's time under the lock; never before the latest vote."""
    moment = clock.database_now()
    latest = max((vote.at for vote in state.votes), default=moment)
    return max(moment, latest)


def know(request: Request, person: Person) -> None:
    """Keep name and address of a person whom the policy did not name, and who takes part."""
    if person.id not in request.people:
        request.people = {**request.people, person.id: person.plain()}
        request.save(update_fields=["people"])


def fire_due(locked: LockedRequest, at: datetime) -> bool:
    """Let everything that was due by `at` happen; whether anything was.

    Inside the caller's transaction, under the locks.
    """
    back = restore_eligible(locked, at)
    if not _is_due(locked.plan, locked.state, at):
        return back
    apply_missed_deliveries(locked)
    stops = _told_once(locked.plan, locked.state, _away(locked.plan, locked.state, at))
    given_back = [locked.apply(one) for one in stops]
    rung = locked.apply(ClockReached(at=at))
    return rung or back or any(given_back)


def state_once_due(plan: Plan, state: State, at: datetime) -> State:
    """The state that `fire_due` would lead to. Stores nothing."""
    if not _is_due(plan, state, at):
        return state
    for one in _away(plan, state, at):
        state = decide(plan, state, one)[0]
    return decide(plan, state, ClockReached(at=at))[0]


def _is_due(plan: Plan, state: State, at: datetime) -> bool:
    due = next_due(plan, state)
    return due is not None and due.at <= at


def _away(plan: Plan, state: State, at: datetime) -> list[Resumed]:
    """The times away that the open stage, or the objections to what was decided, have not got back yet, in order."""
    begun = state.clock_from or state.opened_at
    if begun is None or state.status.is_end:
        return []
    if state.status is Status.COOLING_OFF and state.votes:
        begun = max(vote.at for vote in state.votes)
    found = outages_after(state.absences[-1][1] if state.absences else begun)
    return [Resumed(at=at, since=since, until=until, last=False) for since, until in found]


def _told_once(plan: Plan, state: State, stops: list[Resumed]) -> list[Resumed]:
    """Those that move a clock; with the last of them people are told of the new deadline."""
    found: list[Resumed] = []
    for one in stops:
        after = decide(plan, state, one)[0]
        if after is not state:
            found, state = [*found, one], after
    return [*found[:-1], *(replace(one, last=True) for one in found[-1:])]
