"""Open approvals against live runs, both ways: what a lost process, engine or message left undone is done now.

It repeats what should have happened already, so it may run anywhere, at any time, twice at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from approvals import adrift, folding, ringing
from approvals.core.events import Cancelled
from approvals.deputies import tell_those_who_begin
from approvals.folding import Held
from approvals.models import Request
from approvals.rescues import tell_of_rescues
from approvals.selectors import plan_of_request, state_of
from approvals.services.held import database_now
from approvals.standing import let_back, let_go, who_is_back, who_left
from orchestration import audit, lifecycle, sql
from orchestration.audit import Actor
from orchestration.clock import now
from orchestration.core.events import LookAgain
from orchestration.delivery import deliver
from orchestration.engines.registry import ENGINES
from orchestration.errors import Unreachable
from orchestration.models import Message, Run

log = logging.getLogger(__name__)

MOST_AT_ONCE = 200
ITSELF = Actor(name="reconciler", door="engine")


def reconcile() -> int:
    """For how many requests it did something; it looks at no more than MOST_AT_ONCE of each kind."""
    return (
        _each(adrift.orphaned()[:MOST_AT_ONCE], _cancel)
        + _each(adrift.overdue()[:MOST_AT_ONCE], _ring)
        + _each(adrift.untold()[:MOST_AT_ONCE], _tell_again)
        + _each(adrift.shut_out()[:MOST_AT_ONCE], _see_who_is_there)
        + _each(adrift.without_some()[:MOST_AT_ONCE], _see_who_is_there)
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
            page = list(adrift.open_after(self._after)[:MOST_AT_ONCE])
            self._after = page[-1].pk if len(page) == MOST_AT_ONCE else 0
        return iter(page)


_round = _Round()


def _each(requests: Iterable[Request], mend: Callable[[Request], bool]) -> int:
    """One that cannot be mended keeps no other waiting."""
    done = 0
    for request in requests:
        try:
            done += mend(request)
        except Unreachable as error:
            log.warning("approval %s waits: %s", request, error)
        except Exception:
            log.exception("approval %s could not be reconciled", request)
    return done


def _held(request: Request) -> Held | None:
    """Locked as every act locks it; None while somebody else is at it: the next pass comes soon."""
    if connection.features.has_select_for_update_skip_locked:
        free = Run.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=request.run_id)
        if not list(free.values_list("pk")):
            return None
    return folding.hold(request.run_id)


def _cancel(request: Request) -> bool:
    with sql.writing():
        held = _held(request)
        if held is None or not adrift.orphaned().filter(pk=request.pk).exists():
            return False
        why = "orphaned: the run that asked does not wait for it any more"
        audit.record(actor=ITSELF, action="approval.orphaned", workflow_id=request.request_id, note=why)
        return folding.fold(held, Cancelled(at=database_now(held.state), why=why))


def _ring(request: Request) -> bool:
    """The clock is in the row, so whoever comes by may let it speak; its engine is told to keep it again."""
    with sql.writing():
        held = _held(request)
        rung = held is not None and ringing.ring(held, database_now(held.state))
    ENGINES[request.run.engine].tend(Run.objects.get(pk=request.run_id))
    return rung


def _tell_again(request: Request) -> bool:
    """Ever more seldom: a step that does not answer is no reason to fill a table."""
    run, parent = request.run, request.run.parent
    if parent is None:
        return False
    told = Message.objects.filter(run=parent, message_id__startswith=f"look:{run.pk}:").order_by("pk")
    count, last = told.count(), told.last()
    if last is not None and (
        last.delivered_at is None or now() - last.created_at < adrift.GRACE * 2 ** min(count - 1, 12)
    ):
        return False
    event = LookAgain(at=now(), step_id=run.parent_step, iteration=run.parent_iteration)
    deliver(lifecycle.post(parent, event, message_id=f"look:{run.pk}:{run.version}:{count}"))
    return True


def _see_who_is_there(request: Request) -> bool:
    """Who has left is taken off, who is back has their seat back."""
    plan, state = plan_of_request(request), state_of(request)
    known: dict[int, Any] = {}
    if not who_left(request, plan, state, known=known) and not who_is_back(request, plan, state, known=known):
        return False
    with sql.writing():
        held = _held(request)
        if held is None:
            return False
        at = database_now(held.state)
        return _note_those_back(held, at) | _note_those_gone(held, at)


def _note_those_gone(held: Held, at: datetime) -> bool:
    left = who_left(held.request, held.plan, held.state, known=held.accounts)
    if left:
        _audit(held, "approval.people-left", left)
    return bool(left) and let_go(held, at)


def _note_those_back(held: Held, at: datetime) -> bool:
    back = who_is_back(held.request, held.plan, held.state, known=held.accounts)
    if back:
        _audit(held, "approval.people-back", back)
    return bool(back) and let_back(held, at)


def _audit(held: Held, action: str, people: frozenset[str]) -> None:
    audit.record(actor=ITSELF, action=action, workflow_id=held.request.request_id, people=sorted(people))
