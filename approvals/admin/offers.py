"""What this account may do to a request now: legal as it stands, and allowed to it. Asks, and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from approvals.core.events import (
    ContentChanged,
    Delegated,
    Event,
    PeopleBack,
    PeopleNamed,
    Reminded,
    Revoked,
    Voted,
    Withdrawn,
)
from approvals.core.flow import decide
from approvals.core.form import FormField
from approvals.core.guards import BARRED, refusal
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.core.words import Choice, Status
from approvals.models import Request
from approvals.own import asked_it, gave_a_yes
from approvals.people import person_of
from approvals.ringing import as_it_would_be
from approvals.selectors import delegations_to, editable_now, name_in, open_stage, plan_of_request, state_of
from approvals.standing import who_is_back, who_left
from orchestration import roles
from orchestration.api.auth import actor_of
from orchestration.audit import Actor
from orchestration.clock import now

SOMEBODY = "user:0"
"""Stands for an account that is still to be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """`why_not`: why this account cannot decide now, in words. `for_whom`: whose vote it would give, if not its own.

    `seats`: the accounts whose vote an administrator may hand to another, by person id.
    """

    choices: tuple[Choice, ...] = ()
    why_not: str = ""
    for_whom: str = ""
    must_comment_on: tuple[str, ...] = ()
    editable: tuple[str, ...] = ()
    form: tuple[FormField, ...] = ()
    talk: tuple[str, ...] = ()
    hand_on: bool = False
    seats: dict[str, str] = field(default_factory=dict)
    remind: bool = False
    withdraw: bool = False
    revoke: bool = False
    name_people: bool = False
    resubmit: bool = False

    @property
    def more(self) -> bool:
        return bool(self.hand_on or self.seats or self.withdraw or self.revoke)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    request: Request
    plan: Plan
    state: State
    user: Any
    actor: Actor
    at: datetime

    def legal(self, event: Event) -> bool:
        return not refusal(self.plan, self.state, event)

    def manages(self) -> bool:
        return roles.may(self.actor, "approval.manage")


def offers_for(request: Request, user: Any, *, at: datetime | None = None) -> Offers:
    moment = at or now()
    plan, actor = plan_of_request(request), actor_of(user, door="admin")
    state = state_at(plan, _with_those_back(request, plan, moment), moment)
    case = _Case(request=request, plan=plan, state=state, user=user, actor=actor, at=moment)
    choices, why_not, for_whom = _choices(case)
    stage = open_stage(request, state)
    return Offers(
        choices=choices,
        why_not=why_not,
        for_whom=for_whom,
        must_comment_on=stage.must_comment_on,
        editable=editable_now(request, state) if Choice.APPROVE in choices else (),
        form=stage.form if choices else (),
        talk=_talk(case),
        hand_on=_may_hand_on(case, person_of(user).id),
        seats=_seats(case),
        remind=_may_remind(case),
        withdraw=(asked_it(request, actor) or case.manages()) and case.legal(Withdrawn(at=moment)),
        revoke=_may_revoke(case),
        name_people=_may_name(case),
        resubmit=_may_resubmit(case),
    )


def _with_those_back(request: Request, plan: Plan, at: datetime) -> State:
    state = state_of(request)
    back = who_is_back(request, plan, state)
    return decide(plan, state, PeopleBack(at=at, people=back))[0] if back else state


def state_at(plan: Plan, state: State, at: datetime) -> State:
    """With what is due by then: a deadline that no alarm has rung for yet is over all the same."""
    return as_it_would_be(plan, state, at)


def _choices(case: _Case) -> tuple[tuple[Choice, ...], str, str]:
    me = person_of(case.user).id
    if me in case.plan.barred and not case.state.status.is_end:  # a role would not help them
        return (), BARRED, ""
    if not roles.may(case.actor, "approval.decide") and not case.state.status.is_end:
        return (), "your role may look, and not decide; an administrator can give you the role approver", ""
    state, owner = _seated(case, me)
    found = [(choice, refusal(case.plan, state, Voted(at=case.at, person=me, choice=choice))) for choice in Choice]
    legal = tuple(choice for choice, why in found if not why)
    if legal and me in who_left(case.request, case.plan, state):
        return (), "you are not among those any more whom the policy names; an administrator can name you", ""
    whom = "" if owner in ("", me) else name_in(case.request, owner)
    return (legal, "", whom) if legal else ((), _to_you(found[0][1]), "")


def _to_you(why: str) -> str:
    return why.replace("this person is", "you are").replace("this person has", "you have")


def _seated(case: _Case, me: str) -> tuple[State, str]:
    """The state as it is once this account sits, also where it only holds the place of somebody who is away."""
    seat = case.state.seat_of(me)
    if seat is not None or case.state.status.is_end:
        return case.state, seat.owner if seat else ""
    for rule in delegations_to(case.user, case.at).order_by("pk"):
        owner = f"user:{rule.owner_id}"
        event = Delegated(at=case.at, person=owner, to=me, by="delegation")
        if rule.covers(case.request.policy.name) and owner in case.state.awaited and case.legal(event):
            return decide(case.plan, case.state, event)[0], owner
    return case.state, ""


def _talk(case: _Case) -> tuple[str, ...]:
    if case.state.status.is_end:
        return ()
    asked = asked_it(case.request, case.actor)
    return ("answer", "comment", "question") if asked else ("question", "comment", "answer")


def _may_hand_on(case: _Case, person: str) -> bool:
    return case.legal(Delegated(at=case.at, person=person, to=SOMEBODY))


def _seats(case: _Case) -> dict[str, str]:
    if not case.manages():
        return {}
    waiting = [one for one in case.state.awaited if case.request.people.get(one, {}).get("user_id")]
    return {one: name_in(case.request, one) for one in waiting if _may_hand_on(case, one)}


def _may_remind(case: _Case) -> bool:
    """Whoever was asked for changes owes the word themselves."""
    mine = asked_it(case.request, case.actor)
    allowed = case.state.status is not Status.CHANGES_REQUESTED if mine else roles.may(case.actor, "approval.ask")
    return allowed and case.legal(Reminded(at=case.at))


def _may_revoke(case: _Case) -> bool:
    if case.request.spent_at or not case.legal(Revoked(at=case.at)):
        return False
    return case.manages() or gave_a_yes(case.request, case.actor)


def _may_resubmit(case: _Case) -> bool:
    """What a step asks comes from its run; anything else can be asked anew once changes were asked for."""
    theirs = asked_it(case.request, case.actor) or case.manages()
    stuck = case.state.status is Status.CHANGES_REQUESTED and not case.request.step_id
    return stuck and theirs and case.legal(ContentChanged(at=case.at))


def _may_name(case: _Case) -> bool:
    rescue = case.state.status is Status.RESCUE
    return rescue and case.manages() and case.legal(PeopleNamed(at=case.at, people=frozenset({SOMEBODY})))
