"""Fold an event into a request: lock its run, then itself, decide, and write everything in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Subquery

from approvals import audited, notices, outgoing
from approvals.core.clocks import asked_until, expires_at, next_due
from approvals.core.codec import PLAN, STATE
from approvals.core.commands import Command, Finish, Tell
from approvals.core.events import Event
from approvals.core.facts import facts_of
from approvals.core.flow import decide
from approvals.core.guards import refusal
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.core.words import Status
from approvals.models import Request, Seat
from orchestration import audit, ledger, lifecycle, sql
from orchestration.core.page import Page
from orchestration.core.state import StepState
from orchestration.core.words import Cause, RunStatus, StepStatus
from orchestration.delivery import deliver, wake
from orchestration.engines.registry import ENGINES
from orchestration.errors import Unreachable
from orchestration.models import Message, Run

STEP = "decision"
"""The one step that the run of a request shows."""

CAUSES = {
    Status.REJECTED: Cause.REJECTED,
    Status.EXPIRED: Cause.TIMED_OUT,
    Status.WITHDRAWN: Cause.CANCELLED,
    Status.CANCELLED: Cause.CANCELLED,
}
_SETTLED = (Status.COOLING_OFF, Status.APPROVED)


@dataclass(slots=True, kw_only=True)
class Held:
    """A request whose locks are held, and what it is now.

    `seats` and `accounts` (by their id) are read once: nobody else changes the seats under these locks, and whoever may
    decide is judged by the same reading from the first question to the last.
    """

    run: Run
    request: Request
    plan: Plan
    state: State
    seats: dict[tuple[str, str], Seat] | None = None
    accounts: dict[int, Any] = field(default_factory=dict)


def hold(run_pk: int) -> Held:
    """Lock it, the run first. To be called inside the caller's writing transaction."""
    run = ledger.locked(run_pk)
    request = Request.objects.select_related("policy").select_for_update(no_key=True, of=("self",)).get(run_id=run_pk)
    return Held(
        run=run,
        request=request,
        plan=PLAN.validate_python(request.plan),
        state=STATE.validate_python(request.state),
    )


def why_not(held: Held, event: Event) -> str:
    return refusal(held.plan, held.state, event)


def fold(held: Held, event: Event, *, by: str = "") -> bool:
    """Whether it meant something; `by`: whose doing it is. What has to happen elsewhere happens after the commit, or
    by the relay.
    """
    before = held.state
    after, commands = decide(held.plan, before, event)
    if after is before:
        return False
    held.state = after
    _write_run(held, before, event)
    _write_request(held, before, event.at, by)
    _audit(held, before, event)
    _write_seats(held)
    _arm(held)
    for command in commands:
        _perform(held, command)
    return True


def _audit(held: Held, before: State, event: Event) -> None:
    for action, data in audited.became(held.request, held.plan, before, event, held.state):
        audit.record(actor=audited.ITSELF, action=action, workflow_id=held.request.request_id, **data)


def _write_run(held: Held, before: State, event: Event) -> None:
    status, cause = run_status(held.state)
    step = StepState(status=_step_status(held.state), attempt=1, parked=not held.state.status.is_end)
    page = Page(
        head={"status": status, "cause": cause},
        version=held.state.version,
        steps={STEP: step},
        facts=facts_of(held.plan, before, event, held.state),
        first_seq=ledger.next_seq(held.run),
    )
    ledger.write_page(held.run, page)


def run_status(state: State) -> tuple[RunStatus, Cause | None]:
    """What the run of a request says: an approval that was not given leaves nothing standing."""
    if state.status is Status.APPROVED:
        return RunStatus.COMPLETED, None
    if state.status.is_end:
        return RunStatus.ROLLED_BACK, CAUSES[state.status]
    if state.status is Status.RESCUE:
        return RunStatus.NEEDS_ATTENTION, None
    return RunStatus.WAITING, None


def _step_status(state: State) -> StepStatus:
    if state.status is Status.APPROVED:
        return StepStatus.SUCCEEDED
    return StepStatus.FAILED if state.status.is_end else StepStatus.RUNNING


def _write_request(held: Held, before: State, at: datetime, by: str) -> None:
    request, state, due = held.request, held.state, next_due(held.plan, held.state)
    request.state = STATE.dump_python(state, mode="json")
    request.status, request.round, request.words = state.status, state.round, state.last_words
    _write_decision(request, before, state, at, by)
    if state.status is not Status.RESCUE:
        request.rescue_to_tell = None
    request.expires_at, request.next_at = expires_at(held.plan, state), due.at if due else None
    names = ["state", "status", "round", "words", "expires_at", "next_at", "decided_at", "decided_by"]
    request.save(update_fields=[*names, "rescue_to_tell"])


def _write_decision(request: Request, before: State, state: State, at: datetime, by: str) -> None:
    """Who ended it and when; whoever has only spoken has not. A yes that holds from now on was given earlier."""
    if not (state.status.is_end or state.status is Status.COOLING_OFF):
        request.decided_at, request.decided_by = None, ""
    elif state.status is Status.EXPIRED:
        request.decided_at, request.decided_by = min(at, request.expires_at or at), ""
    elif state.status is not before.status and (before.status, state.status) != _SETTLED:
        request.decided_at, request.decided_by = at, by


def _write_seats(held: Held) -> None:
    state, until = held.state, held.request.expires_at
    awaited = set(state.awaited) if state.status.can_be_decided else set()
    wanted: dict[tuple[str, str], bool] = {}
    for seat in () if state.status.is_end else state.seats:
        wanted[(seat.person, seat.owner)] = seat.person in awaited
        awaited.discard(seat.person)  # whoever sits in two seats is listed once
    if not wanted:
        held.request.seats.all().delete()
        held.seats = {}
        return
    there = _seats(held)
    gone = [there.pop(key) for key in there.keys() - wanted.keys()]
    if gone:
        Seat.objects.filter(pk__in=[seat.pk for seat in gone]).delete()
    stale = [seat for key, seat in there.items() if (seat.waits, seat.expires_at) != (wanted[key], until)]
    for row in stale:
        row.waits, row.expires_at = wanted[(row.person, row.owner)], until
    if stale:
        Seat.objects.bulk_update(stale, ["waits", "expires_at"])
    new = [_seat(held.request, *key, waits) for key, waits in wanted.items() if key not in there]
    if new:
        there.update({(seat.person, seat.owner): seat for seat in Seat.objects.bulk_create(new)})


def _seats(held: Held) -> dict[tuple[str, str], Seat]:
    if held.seats is None:
        held.seats = {(seat.person, seat.owner): seat for seat in held.request.seats.all()}
    return held.seats


def _seat(request: Request, person: str, owner: str, waits: bool) -> Seat:
    """Of nobody where the account was deleted since the policy was put to it: `standing` takes off who has left."""
    pk = request.people.get(person, {}).get("user_id")
    user = None if pk is None else Subquery(get_user_model().objects.filter(pk=pk).values("pk"))
    until = request.expires_at
    return Seat(request=request, person=person, owner=owner, user_id=user, waits=waits, expires_at=until)


def _arm(held: Held) -> None:
    engine, run, due = ENGINES[held.run.engine], held.run, held.request.next_at
    if due:
        sql.run(*engine.alarm(run, due, run.version))
    if engine.is_told and run.handed_over:
        _after_commit(wake(run, number=run.version))


def _perform(held: Held, command: Command) -> None:
    match command:
        case Tell():
            notices.tell_all(held.request, held.state, command, until=asked_until(held.plan, held.state))
        case Finish():
            sql.run(lifecycle.end_timers(held.run))
            outgoing.call(held.request)
            told = lifecycle.look_again(held.run)
            if told is not None:
                _after_commit(told)


def _after_commit(*messages: Message) -> None:
    transaction.on_commit(lambda: _deliver(messages), robust=True)


def _deliver(messages: Sequence[Message]) -> None:
    """An engine that is away gets it by the relay."""
    for message in messages:
        try:
            deliver(message)
        except Unreachable:
            return
