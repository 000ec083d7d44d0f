"""Puts right what a lost process, engine or message left undone between requests and their runs.

It repeats what should have happened already, so it may run anywhere, at any time, and twice at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection

from approvals.core.approval.events import Cancelled
from approvals.models import Request
from approvals.queries.requests import plan_of_request, state_of
from approvals.requests.messages.summaries import tell_of_rescues, tell_those_who_begin
from approvals.requests.state import inconsistencies
from approvals.requests.state.eligibility import eligible_again, no_longer_eligible, remove_ineligible, restore_eligible
from approvals.requests.state.lock import database_now, fire_due
from approvals.requests.state.locked_request import LockedRequest, lock_request
from foundation import audit
from foundation.clock import now
from foundation.db import statements
from foundation.errors import Unreachable
from foundation.guarded import guarded, logged
from foundation.identity.actor import Actor
from orchestration.models import Message, Run
from orchestration.runs.external import keep_time, tell_parent_again

log = logging.getLogger(__name__)

MOST_AT_ONCE = 200
ITSELF = Actor(name="reconciler", door="engine")


def reconcile() -> int:
    """Look at up to MOST_AT_ONCE requests of each kind of `inconsistencies`.

    Returns for how many something was done.
    """
    return (
        _each(inconsistencies.orphaned()[:MOST_AT_ONCE], _cancel)
        + _each(inconsistencies.overdue()[:MOST_AT_ONCE], _fire)
        + _each(inconsistencies.untold()[:MOST_AT_ONCE], _tell_again)
        + _each(inconsistencies.shut_out()[:MOST_AT_ONCE], _see_who_is_there)
        + _each(inconsistencies.without_some()[:MOST_AT_ONCE], _see_who_is_there)
        + _each(_round.next_ones(), _see_who_is_there)
        + tell_of_rescues(now())
        + tell_those_who_begin(now())
    )


class _Round:
    """All open requests in turn, some at each pass. What it looks for is refused at every decision anyway."""

    def __init__(self) -> None:
        self._after = 0
        self._lock = threading.Lock()

    def next_ones(self) -> Iterator[Request]:
        with self._lock:
            page = list(inconsistencies.open_after(self._after)[:MOST_AT_ONCE])
            self._after = page[-1].pk if len(page) == MOST_AT_ONCE else 0
        return iter(page)


_round = _Round()


def _each(requests: Iterable[Request], mend: Callable[[Request], bool]) -> int:
    """One that cannot be mended keeps no other waiting."""
    return sum(guarded(partial(mend, request), partial(_not_mended, request)) for request in requests)


def _not_mended(request: Request, error: Exception) -> bool:
    if isinstance(error, Unreachable):
        log.warning("approval %s waits: %s", request, error)
    else:
        logged(log, "approval %s could not be reconciled", request)(error)
    return False


def _held(request: Request) -> LockedRequest | None:
    """Locked as every act locks it; None while another process has it: the next pass comes soon."""
    if connection.features.has_select_for_update_skip_locked:
        free = Run.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=request.run_id)
        if not list(free.values_list("pk")):
            return None
    return lock_request(request.run_id)


def _cancel(request: Request) -> bool:
    with statements.writing():
        locked = _held(request)
        if locked is None or not inconsistencies.orphaned().filter(pk=request.pk).exists():
            return False
        why = "orphaned: the run that asked does not wait for it any more"
        audit.record(actor=ITSELF, action="approval.orphaned", workflow_id=request.request_id, note=why)
        return locked.apply(Cancelled(at=database_now(locked.state), why=why))


def _fire(request: Request) -> bool:
    """Let due timers fire from the row, which any process may do, and have its engine keep the time again."""
    with statements.writing():
        locked = _held(request)
        rung = locked is not None and fire_due(locked, database_now(locked.state))
    keep_time(Run.objects.get(pk=request.run_id))
    return rung


def _tell_again(request: Request) -> bool:
    """Ever more seldom: a step that does not answer is no reason to fill a table."""
    run, parent = request.run, request.run.parent
    if parent is None:
        return False
    told = Message.objects.filter(run=parent, message_id__startswith=f"look:{run.pk}:").order_by("pk")
    count, last = told.count(), told.last()
    if last is not None and (
        last.delivered_at is None or now() - last.created_at < inconsistencies.GRACE * 2 ** min(count - 1, 12)
    ):
        return False
    tell_parent_again(run, number=count)
    return True


def _see_who_is_there(request: Request) -> bool:
    """Who has left is taken off, who is back has their seat back."""
    plan, state = plan_of_request(request), state_of(request)
    known: dict[int, Any] = {}
    if not no_longer_eligible(request, plan, state, known=known) and not eligible_again(
        request, plan, state, known=known
    ):
        return False
    with statements.writing():
        locked = _held(request)
        if locked is None:
            return False
        at = database_now(locked.state)
        return _note_those_back(locked, at) | _note_those_gone(locked, at)


def _note_those_gone(locked: LockedRequest, at: datetime) -> bool:
    left = no_longer_eligible(locked.request, locked.plan, locked.state, known=locked.accounts)
    if left:
        _audit(locked, "approval.people-left", left)
    return bool(left) and remove_ineligible(locked, at)


def _note_those_back(locked: LockedRequest, at: datetime) -> bool:
    back = eligible_again(locked.request, locked.plan, locked.state, known=locked.accounts)
    if back:
        _audit(locked, "approval.people-back", back)
    return bool(back) and restore_eligible(locked, at)


def _audit(locked: LockedRequest, action: str, people: frozenset[str]) -> None:
    audit.record(actor=ITSELF, action=action, workflow_id=locked.request.request_id, people=sorted(people))
