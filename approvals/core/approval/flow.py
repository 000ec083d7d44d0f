"""The approval flow: `decide(plan, state, event) -> (state, commands)`. Rules as in docs/explanation/approvals.md.

An event that means nothing now returns the very same state and no command.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from approvals.core.approval.events import (
    Cancelled,
    ClockReached,
    ContentChanged,
    Delegated,
    Delivered,
    Event,
    Opened,
    PeopleBack,
    PeopleLeft,
    PeopleNamed,
    Reminded,
    Resumed,
    Revoked,
    Voted,
    Withdrawn,
)
from approvals.core.approval.feasibility import can_pass
from approvals.core.approval.guards import refusal
from approvals.core.approval.outcome import Command, Finish, Tell
from approvals.core.approval.plan import Plan, in_order
from approvals.core.approval.quorum import passes, seats_of
from approvals.core.approval.state import Heard, Seat, State, Vote
from approvals.core.approval.timers import dues, heard_since, next_due, next_level, reached, silence_is_yes
from approvals.core.enums import AtTheEnd, Authority, Choice, Status, Telling

TOO_FEW = "too few people are left who may decide"

MOST_ABSENCES = 200
"""Times away that one stage gets back."""


def decide(plan: Plan, state: State, event: Event) -> tuple[State, tuple[Command, ...]]:
    """Apply one event to the state, and return the new state and the commands."""
    if refusal(plan, state, event):
        return state, ()
    draft = _Draft(plan, state, event.at)
    _apply(draft, event)
    if draft.state == state:
        return state, ()
    return replace(draft.state, version=state.version + 1), tuple(draft.commands)


class _Draft:
    """A state being changed by one event."""

    def __init__(self, plan: Plan, state: State, at: datetime) -> None:
        self.plan, self.state, self.at = plan, state, at
        self.commands: list[Command] = []

    def put(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def tell(self, why: Telling, people: tuple[str, ...] = ()) -> None:
        self.commands.append(Tell(why=why, people=people))


def _apply(draft: _Draft, event: Event) -> None:
    match event:
        case Opened():
            _open(draft, event)
        case Voted():
            _vote(draft, event)
        case ClockReached():
            _run_clocks(draft)
        case Delivered():
            _hear(draft, event)
        case Resumed():
            _resume(draft, event)
        case Reminded():
            _nudge(draft)
        case Delegated():
            draft.put(seats=draft.state.handed_on(event.person, event.to))
            draft.tell(Telling.ASKED, (event.to,))
        case PeopleLeft() | PeopleBack():
            _leave(draft, event) if isinstance(event, PeopleLeft) else _come_back(draft, event)
        case PeopleNamed():
            named = in_order(event.people - draft.plan.barred)
            draft.put(seats=tuple(Seat(person=person, owner=person, own=False) for person in named), left=())
            _begin_clock(draft)
            draft.put(status=Status.PENDING, last_words="")
            draft.tell(Telling.ASKED, draft.state.awaited)
            _go_on(draft)
        case ContentChanged():
            draft.put(round=draft.state.round + 1, last_words="", heard=(), silent=())
            _open_stage(draft, 0)
        case Withdrawn():
            _finish(draft, Status.WITHDRAWN, "withdrawn")
        case Revoked():
            _finish(draft, Status.WITHDRAWN, "taken back")
        case Cancelled():
            _finish(draft, Status.CANCELLED, event.why or "cancelled")
        case _:
            assert_never(event)


def _open(draft: _Draft, event: Opened) -> None:
    if event.by_rule:
        _finish(draft, Status.APPROVED, "by the policy's rule")
    else:
        _open_stage(draft, 0)


def _open_stage(draft: _Draft, number: int) -> None:
    stage = draft.plan.stages[number]
    draft.put(status=Status.PENDING, stage=number, seats=seats_of(draft.plan, stage), left=())
    _begin_clock(draft)
    if draft.state.awaited:
        draft.tell(Telling.ASKED, draft.state.awaited)
    _mend(draft)


def _begin_clock(draft: _Draft) -> None:
    state = draft.state
    waits = draft.plan.stages[state.stage].clock_starts == "delivered"
    elsewhere = tuple(one for one in state.heard if one.stage != state.stage)
    draft.put(
        opened_at=draft.at, clock_from=None if waits else draft.at, opened_in=state.version + 1, heard=elsewhere,
        reminded=0, escalated=(), unheard=False, away=None, away_again=(), rescue_at=None,
    )  # fmt: skip


def _hear(draft: _Draft, event: Delivered) -> None:
    """A delivery may start the clock of the open stage, and makes its silence count."""
    state = draft.state
    if not state.status.can_be_decided or not _is_of_this_stage(state, event):
        return
    at = max(event.at, state.opened_at or event.at)
    if state.status is Status.PENDING and state.clock_from is None:
        draft.put(clock_from=at)
    known = any((one.person, one.stage) == (event.person, state.stage) for one in state.heard)
    if event.person and not known and silence_is_yes(draft.plan, state):
        draft.put(heard=(*state.heard, Heard(person=event.person, stage=state.stage, at=at)))
        if state.unheard and heard_since(draft.plan, draft.state) is not None:
            draft.put(status=Status.PENDING, unheard=False, last_words="")


def _is_of_this_stage(state: State, event: Delivered) -> bool:
    """What was sent for an earlier stage or round may arrive late."""
    if state.opened_at is None or (event.person and event.person not in state.awaited):
        return False
    return event.at >= state.opened_at if event.of is None else event.of >= state.opened_in


def _resume(draft: _Draft, event: Resumed) -> None:
    """What was left of the open stage's clocks, or of the cooling-off, is counted anew from the return: once for each
    time away, in their order. Of one that was given back in part, while it lasted, the rest counts.
    """
    state = draft.state
    begun, back = state.clock_from or state.opened_at, state.absences[-1][1] if state.absences else None
    since = max(event.since, back) if back else event.since
    if begun is None or event.until <= since or (len(state.absences) >= MOST_ABSENCES and since != back):
        return
    if state.status is Status.COOLING_OFF and state.settles_at:
        begun = state.settles_at - timedelta(seconds=draft.plan.cooling_off_seconds)
        if since < state.settles_at and begun < event.until:
            left = state.settles_at - max(since, begun)
            draft.state = state.with_absence(since, event.until)
            draft.put(settles_at=event.until + left)
        return
    draft.state = state.with_absence(since, event.until)
    if dues(draft.plan, draft.state) == dues(draft.plan, state):
        draft.state = state
    elif state.status is Status.PENDING and event.last:
        draft.tell(Telling.REMINDER, state.awaited)


def _nudge(draft: _Draft) -> None:
    """Remind those who have to act: the deciders, an administrator, or the requester."""
    draft.put(nudged_at=draft.at)
    match draft.state.status:
        case Status.RESCUE:
            draft.tell(Telling.RESCUE)
        case Status.CHANGES_REQUESTED:
            draft.tell(Telling.CHANGES_REQUESTED)
        case _:
            draft.tell(Telling.REMINDER, draft.state.awaited)


def _vote(draft: _Draft, event: Voted) -> None:
    state, seat = draft.state, draft.state.seat_of(event.person)
    owner = seat.owner if seat else event.person
    vote = Vote(
        person=event.person, owner=owner, choice=event.choice, stage=state.stage, round=state.round, at=event.at
    )
    draft.put(votes=(*state.votes, vote))
    match event.choice:
        case Choice.APPROVE:
            _go_on(draft)
        case Choice.ABSTAIN:
            _go_on(draft)
        case Choice.REQUEST_CHANGES:
            if state.status is Status.RESCUE:  # its clock has stopped or run out: the requester gets a whole one
                draft.put(clock_from=draft.at, unheard=False)
            draft.put(status=Status.CHANGES_REQUESTED, last_words="")
            draft.tell(Telling.CHANGES_REQUESTED)
        case Choice.REJECT:
            stage = draft.plan.stages[state.stage]
            objects = state.status is Status.COOLING_OFF
            if objects or stage.reject_on == "first" or not can_pass(draft.plan, _with_those_waited_for(draft)):
                _finish(draft, Status.REJECTED, "rejected")
        case _:
            assert_never(event.choice)


def _leave(draft: _Draft, event: PeopleLeft) -> None:
    """With fewer people left, the votes of those who stay may be enough. Votes already given stay.

    Where too few are left, others are asked only after the grace: people may come back.
    """
    stay = draft.state.without(event.people)
    if stay == draft.state.seats:
        return
    draft.put(seats=stay, left=(*draft.state.left, *draft.state.gone_with(event.people)))
    waits = draft.state.status is Status.PENDING and event.grace_seconds > 0
    if waits and draft.state.rescue_at is None and not can_pass(draft.plan, draft.state):
        draft.put(rescue_at=draft.at + timedelta(seconds=event.grace_seconds))
    if draft.state.status.can_be_decided:
        _go_on(draft)


def _come_back(draft: _Draft, event: PeopleBack) -> None:
    """Their seats are theirs again. A request that waits for an administrator only since too few were left goes on."""
    back = draft.state.restored(event.people - draft.plan.barred)
    if not back:
        return
    kept = tuple(seat for seat in draft.state.left if seat not in back)
    draft.put(seats=(*draft.state.seats, *back), left=kept)
    if not can_pass(draft.plan, draft.state):
        return
    draft.put(rescue_at=None)
    if draft.state.status is Status.RESCUE and draft.state.last_words == TOO_FEW:
        draft.put(status=Status.PENDING, last_words="")
        draft.tell(Telling.ASKED, draft.state.awaited)


def _with_those_waited_for(draft: _Draft) -> State:
    """As it is once they are back whose return is waited for."""
    if not _waits_for_return(draft):
        return draft.state
    return replace(draft.state, seats=(*draft.state.seats, *draft.state.left))


def _waits_for_return(draft: _Draft) -> bool:
    return draft.state.rescue_at is not None and draft.at < draft.state.rescue_at


def _go_on(draft: _Draft) -> None:
    """The open stage may have passed, or may not be able to any more."""
    if not passes(draft.plan, draft.state):
        _mend(draft)
    elif draft.state.stage + 1 < len(draft.plan.stages):
        _open_stage(draft, draft.state.stage + 1)
    else:
        _approve(draft, "")


def _mend(draft: _Draft) -> None:
    """Too few are left to decide: the next level is asked at once, without its clock, and at last an administrator."""
    if _waits_for_return(draft):
        return
    draft.put(rescue_at=None)
    escalated = draft.state.escalated
    while not can_pass(draft.plan, draft.state) and (place := next_level(draft.plan, draft.state)) is not None:
        _escalate(draft, place)
    if not can_pass(draft.plan, draft.state):
        draft.put(status=Status.RESCUE, last_words=TOO_FEW)
        draft.commands.append(Tell(why=Telling.RESCUE, together=bool(draft.state.left)))
    elif draft.state.escalated != escalated and passes(draft.plan, draft.state):
        _go_on(draft)


def _escalate(draft: _Draft, place: int) -> None:
    level = draft.plan.stages[draft.state.stage].levels[place]
    draft.put(escalated=(*draft.state.escalated, place))
    people = tuple(in_order(level.people - draft.plan.barred))
    if level.authority is Authority.TRANSFER and people:
        draft.put(seats=tuple(Seat(person=person, owner=person, own=False) for person in people), left=())
    elif level.authority is Authority.ADD:
        sitting = {seat.person for seat in draft.state.seats}
        added = tuple(Seat(person=person, owner=person, own=False) for person in people if person not in sitting)
        draft.put(seats=(*draft.state.seats, *added))
    if people:
        draft.tell(Telling.ESCALATED, people)


def _run_clocks(draft: _Draft) -> None:
    while not draft.state.status.is_end:
        one = next_due(draft.plan, draft.state)
        if one is None or one.at > draft.at:
            return
        stage = draft.plan.stages[draft.state.stage]
        match one.hand:
            case "begin":
                draft.put(clock_from=one.at)
            case "remind":
                draft.put(reminded=draft.state.reminded + 1)
                draft.tell(Telling.REMINDER, draft.state.awaited)
            case "escalate":
                place = next_level(draft.plan, draft.state)
                if place is not None:
                    _escalate(draft, place)
                _go_on(draft)  # those who sit now may have said yes before
            case "rescue":
                _mend(draft)
            case "settle":
                _finish(draft, Status.APPROVED, draft.state.last_words)
            case "expire":
                _expire(draft, stage.at_the_end)
            case _:
                assert_never(one.hand)


def _expire(draft: _Draft, at_the_end: AtTheEnd) -> None:
    unheard = at_the_end is AtTheEnd.APPROVE and draft.state.rescue_at and not can_pass(draft.plan, draft.state)
    if draft.state.status is Status.RESCUE or unheard:  # too few were reached to object: this is no silence
        _finish(draft, Status.EXPIRED, "nobody was named in time who may decide")
        return
    if at_the_end is AtTheEnd.APPROVE and draft.state.status is Status.CHANGES_REQUESTED:
        _finish(draft, Status.EXPIRED, "the changes were not made in time")  # no silence: a person spoke
        return
    if at_the_end is AtTheEnd.APPROVE and heard_since(draft.plan, draft.state) is None:
        words = "too few of those who decide were reached" if reached(draft.state) else "nobody was reached"
        draft.put(status=Status.RESCUE, unheard=True, last_words=words)
        draft.tell(Telling.RESCUE)
        return
    if at_the_end is AtTheEnd.APPROVE:
        draft.put(silent=(*draft.state.silent, draft.state.stage))
    match at_the_end:
        case AtTheEnd.REJECT:
            _finish(draft, Status.EXPIRED, "nobody decided in time")
        case AtTheEnd.APPROVE if draft.state.stage + 1 < len(draft.plan.stages):
            _open_stage(draft, draft.state.stage + 1)  # silence passes its own stage, and none of the later ones
        case AtTheEnd.APPROVE:
            _approve(draft, "by silence, as the policy says")
        case AtTheEnd.HOLD:
            draft.put(status=Status.RESCUE, last_words="nobody decided in time")
            draft.tell(Telling.RESCUE)
        case _:
            assert_never(at_the_end)


def _approve(draft: _Draft, words: str) -> None:
    if draft.plan.cooling_off_seconds:
        settles = draft.at + timedelta(seconds=draft.plan.cooling_off_seconds)
        draft.put(status=Status.COOLING_OFF, settles_at=settles, last_words=words)
        draft.tell(Telling.DECIDED)
    else:
        _finish(draft, Status.APPROVED, words)


def _finish(draft: _Draft, status: Status, words: str) -> None:
    draft.put(status=status, last_words=words, settles_at=None)
    draft.commands.append(Finish(status=status))
    draft.tell(Telling.DECIDED)
