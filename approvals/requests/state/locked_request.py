"""The only writer of a request's state: lock its run, then itself, decide, and write everything in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Subquery

from approvals.core.approval.events import Event
from approvals.core.approval.flow import decide
from approvals.core.approval.guards import refusal
from approvals.core.approval.outcome import Command, Finish, Tell, facts_of
from approvals.core.approval.plan import PLAN, Plan
from approvals.core.approval.state import STATE, State
from approvals.core.approval.timers import asked_until, expires_at, next_due
from approvals.core.enums import Choice, Status
from approvals.evidence import audit_records
from approvals.models import Request, Seat
from approvals.queries.agent_act import FACT
from approvals.requests.messages import callback_payload, notify
from approvals.requests.state.agent_act import perform
from foundation import audit, telemetry
from orchestration.core.enums import Cause, RunStatus
from orchestration.models import Run
from orchestration.runs.external import ExternalState, ask_for_rework, lock_external_run, record_external_state

STEP = "decision"
"""The one step that the run of a request shows."""

CAUSES = {
    Status.REJECTED: Cause.REJECTED,
    Status.EXPIRED: Cause.TIMED_OUT,
    Status.WITHDRAWN: Cause.CANCELLED,
    Status.CANCELLED: Cause.CANCELLED,
}
REWORK, REWORKED = "rework", "reworked"
"""Keys of a request's facts: the step that is done again when changes are asked for, and how often it was before."""
_SETTLED = (Status.COOLING_OFF, Status.APPROVED)


@dataclass(slots=True, kw_only=True)
class LockedRequest:
    """A request under its locks, with its plan and state.

    `seats` and `accounts` (by id) are read once: no other process changes the seats under these locks, and everybody's
    rights are judged by one reading.
    """

    run: Run
    request: Request
    plan: Plan
    state: State
    seats: dict[tuple[str, str], Seat] | None = None
    accounts: dict[int, Any] = field(default_factory=dict)

    def refusal(self, event: Event) -> str:
        """Why the event is not legal now; '' when it is."""
        return refusal(self.plan, self.state, event)

    def apply(self, event: Event, *, by: str = "") -> bool:
        """Let the core decide an event, and write all that follows; whether it had an effect.

        `by`: the name of who did it.

        Effects on other runs happen after the commit, or by the relay.
        """
        before = self.state
        after, commands = decide(self.plan, before, event)
        if after is before:
            return False
        self.state = after
        _write_run(self, before, event)
        _write_request(self, before, event.at, by)
        _act(self, before)
        _audit(self, before, event)
        _write_seats(self)
        _rework(self, before, by)
        for command in commands:
            _perform(self, command)
        return True


def lock_request(run_pk: int) -> LockedRequest:
    """Lock the request, its run first. Inside the caller's writing transaction."""
    run = lock_external_run(run_pk)
    request = Request.objects.select_related("policy").select_for_update(no_key=True, of=("self",)).get(run_id=run_pk)
    plan, state = PLAN.validate_python(request.plan), STATE.validate_python(request.state)
    return LockedRequest(run=run, request=request, plan=plan, state=state)


def _rework(locked: LockedRequest, before: State, by: str) -> None:
    """Changes that were asked for at a gate have the step done again that it names."""
    step_id = locked.request.facts.get(REWORK)
    if not step_id or locked.state.status is not Status.CHANGES_REQUESTED or before.status is locked.state.status:
        return
    said = locked.request.votes.filter(round=locked.state.round, choice=Choice.REQUEST_CHANGES).last()
    words = said.comment if said is not None else ""
    ask_for_rework(locked.run, str(step_id), number=locked.state.version, words=words, by=by)


def _act(locked: LockedRequest, before: State) -> None:
    """A yes to what an agent proposed has it done."""
    approved = locked.state.status is Status.APPROVED and before.status is not Status.APPROVED
    if approved and FACT in locked.request.facts:
        perform(locked.request, barred=locked.plan.barred)


def _audit(locked: LockedRequest, before: State, event: Event) -> None:
    for action, data in audit_records.event_records(locked.request, locked.plan, before, event, locked.state):
        audit.record(actor=audit_records.ITSELF, action=action, workflow_id=locked.request.request_id, **data)


def _write_run(locked: LockedRequest, before: State, event: Event) -> None:
    status, cause = run_status(locked.state)
    due = next_due(locked.plan, locked.state)
    changed = ExternalState(
        version=locked.state.version,
        status=status,
        cause=cause,
        facts=facts_of(locked.plan, before, event, locked.state),
        wake_at=due.at if due else None,
    )
    record_external_state(locked.run, STEP, changed)


def run_status(state: State) -> tuple[RunStatus, Cause | None]:
    """Status and cause of a request's run: one that was not approved is rolled back, since it left no effect."""
    if state.status is Status.APPROVED:
        return RunStatus.COMPLETED, None
    if state.status.is_end:
        return RunStatus.ROLLED_BACK, CAUSES[state.status]
    if state.status is Status.RESCUE:
        return RunStatus.NEEDS_ATTENTION, None
    return RunStatus.WAITING, None


def _write_request(locked: LockedRequest, before: State, at: datetime, by: str) -> None:
    request, state, due = locked.request, locked.state, next_due(locked.plan, locked.state)
    request.state = STATE.dump_python(state, mode="json")
    request.status, request.round, request.words = state.status, state.round, state.last_words
    _write_decision(request, before, state, at, by)
    if state.status is not Status.RESCUE:
        request.rescue_to_tell = None
    request.expires_at, request.next_at = expires_at(locked.plan, state), due.at if due else None
    names = ["state", "status", "round", "words", "expires_at", "next_at", "decided_at", "decided_by"]
    request.save(update_fields=[*names, "rescue_to_tell"])
    if state.status.is_end and not before.status.is_end:
        transaction.on_commit(partial(_measure, request, at), robust=True)


def _measure(request: Request, at: datetime) -> None:
    telemetry.count("zen_approvals_ended_total", status=str(request.status))
    telemetry.observe("zen_approval_decision_seconds", max(0.0, (at - request.created_at).total_seconds()))


def _write_decision(request: Request, before: State, state: State, at: datetime, by: str) -> None:
    """Who ended it and when. A single vote that does not end it is not noted here.

    An approval that takes effect after a cooling-off was given earlier.
    """
    if not (state.status.is_end or state.status is Status.COOLING_OFF):
        request.decided_at, request.decided_by = None, ""
    elif state.status is Status.EXPIRED:
        request.decided_at, request.decided_by = min(at, request.expires_at or at), ""
    elif state.status is not before.status and (before.status, state.status) != _SETTLED:
        request.decided_at, request.decided_by = at, by


def _write_seats(locked: LockedRequest) -> None:
    state, until = locked.state, locked.request.expires_at
    awaited = set(state.awaited) if state.status.can_be_decided else set()
    wanted: dict[tuple[str, str], bool] = {}
    for seat in () if state.status.is_end else state.seats:
        wanted[(seat.person, seat.owner)] = seat.person in awaited
        awaited.discard(seat.person)  # a person with two seats is listed once
    if not wanted:
        locked.request.seats.all().delete()
        locked.seats = {}
        return
    there = _seats(locked)
    gone = [there.pop(key) for key in there.keys() - wanted.keys()]
    if gone:
        Seat.objects.filter(pk__in=[seat.pk for seat in gone]).delete()
    stale = [seat for key, seat in there.items() if (seat.waits, seat.expires_at) != (wanted[key], until)]
    for row in stale:
        row.waits, row.expires_at = wanted[(row.person, row.owner)], until
    if stale:
        Seat.objects.bulk_update(stale, ["waits", "expires_at"])
    new = [_seat(locked.request, *key, waits) for key, waits in wanted.items() if key not in there]
    if new:
        there.update({(seat.person, seat.owner): seat for seat in Seat.objects.bulk_create(new)})


def _seats(locked: LockedRequest) -> dict[tuple[str, str], Seat]:
    if locked.seats is None:
        locked.seats = {(seat.person, seat.owner): seat for seat in locked.request.seats.all()}
    return locked.seats


def _seat(request: Request, person: str, owner: str, waits: bool) -> Seat:
    """A seat without an account where the account was deleted meanwhile: `eligibility` removes it."""
    pk = request.people.get(person, {}).get("user_id")
    user = None if pk is None else Subquery(get_user_model().objects.filter(pk=pk).values("pk"))
    until = request.expires_at
    return Seat(request=request, person=person, owner=owner, user_id=user, waits=waits, expires_at=until)


def _perform(locked: LockedRequest, command: Command) -> None:
    match command:
        case Tell():
            notify.notify_people(locked.request, locked.state, command, until=asked_until(locked.plan, locked.state))
        case Finish():
            callback_payload.call(locked.request)
