"""What an account may do to a request now: legal in its state, and allowed to the account. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from approvals.core.approval.events import (
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
from approvals.core.approval.flow import decide
from approvals.core.approval.guards import BARRED, refusal, seats_to_hand_on
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from approvals.core.enums import Choice, Status
from approvals.core.policy.form import FormField
from approvals.models import Request
from approvals.policies.principals import person_of
from approvals.queries.inbox import delegations_to
from approvals.queries.requests import editable_now, name_in, open_stage, plan_of_request, state_of
from approvals.requests.rights import asked_it, may
from approvals.requests.state.eligibility import eligible_again, no_longer_eligible
from approvals.requests.state.lock import state_once_due
from approvals.requests.vote_checks import is_out_of_place
from foundation.clock import now
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of

SOMEBODY = "user:0"
"""Stands for an account that is still to be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What one account may do. `why_not`: why it cannot decide, in words.

    `for_whom`: whose vote it would give, if another's.

    `choices`: the decisions it may take; `form`, `editable`, `must_comment_on` belong to them. `talk`: kinds of
    remarks. `hand_on`: it may reassign its own seat; `seats`: {person id: name} of seats that it may reassign as an
    administrator.
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
    def names(self) -> tuple[str, ...]:
        """As the REST API calls them: a decision by its word, another act by the end of its path."""
        others = {
            "remarks": bool(self.talk), "remind": self.remind, "withdraw": self.withdraw, "resubmit": self.resubmit,
            "revoke": self.revoke, "reassign": self.hand_on or bool(self.seats), "name-people": self.name_people,
        }  # fmt: skip
        return (*(choice.value for choice in self.choices), *(name for name, legal in others.items() if legal))

    @property
    def more(self) -> bool:
        """Whether there is an act that pages show apart from deciding."""
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

    def may(self, act: str) -> bool:
        return may(act, self.request, self.actor)


def offers_for(request: Request, user: Any, *, at: datetime | None = None) -> Offers:
    """What this account may do to the request at `at` (aware; now if left out)."""
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
        withdraw=case.may("withdraw") and case.legal(Withdrawn(at=moment)),
        revoke=_may_revoke(case),
        name_people=_may_name(case),
        resubmit=_may_resubmit(case),
    )


def _with_those_back(request: Request, plan: Plan, at: datetime) -> State:
    state = state_of(request)
    back = eligible_again(request, plan, state)
    return decide(plan, state, PeopleBack(at=at, people=back))[0] if back else state


def state_at(plan: Plan, state: State, at: datetime) -> State:
    """The state with everything that is due by then: a deadline counts although its timer has not fired yet."""
    return state_once_due(plan, state, at)


def _choices(case: _Case) -> tuple[tuple[Choice, ...], str, str]:
    me = person_of(case.user).id
    if me in case.plan.barred and not case.state.status.is_end:  # a role would not help them
        return (), BARRED, ""
    if not permissions.may(case.actor, "approval.decide") and not case.state.status.is_end:
        return (), "you have read-only access; an administrator can give you the role approver", ""
    state, owner = _seated(case, me)
    found = [(choice, refusal(case.plan, state, Voted(at=case.at, person=me, choice=choice))) for choice in Choice]
    legal = tuple(choice for choice, why in found if not why and not is_out_of_place(case.request, choice))
    if legal and me in no_longer_eligible(case.request, case.plan, state):
        return (), "you are no longer among the people named by the policy; an administrator can name you", ""
    whom = "" if owner in ("", me) else name_in(case.request, owner)
    return (legal, "", whom) if legal else ((), _to_you(found[0][1]), "")


def _to_you(why: str) -> str:
    return why.replace("this person is", "you are").replace("this person has", "you have")


def _seated(case: _Case, me: str) -> tuple[State, str]:
    """The state once this account has a seat, also where it only decides for a person who is away."""
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
    if case.state.status.is_end or not case.may("remarks"):
        return ()
    asked = asked_it(case.request, case.actor)
    return ("answer", "comment", "question") if asked else ("question", "comment", "answer")


def _may_hand_on(case: _Case, person: str) -> bool:
    return case.may("reassign") and case.legal(Delegated(at=case.at, person=person, to=SOMEBODY))


def _seats(case: _Case) -> dict[str, str]:
    if not case.may("reassign-another"):
        return {}
    people, found = case.request.people, seats_to_hand_on(case.state)
    return {one: name_in(case.request, one) for one in found if people.get(one, {}).get("user_id")}


def _may_remind(case: _Case) -> bool:
    """People who were asked for changes have to act themselves, so they remind nobody."""
    owes = case.state.status is Status.CHANGES_REQUESTED and asked_it(case.request, case.actor)
    return not owes and case.may("remind") and case.legal(Reminded(at=case.at))


def _may_revoke(case: _Case) -> bool:
    return not case.request.spent_at and case.legal(Revoked(at=case.at)) and case.may("revoke")


def _may_resubmit(case: _Case) -> bool:
    """What a step asks comes from its run; anything else can be asked anew once changes were asked for."""
    stuck = case.state.status is Status.CHANGES_REQUESTED and not case.request.step_id
    return stuck and case.may("resubmit") and case.legal(ContentChanged(at=case.at))


def _may_name(case: _Case) -> bool:
    rescue = case.state.status is Status.RESCUE
    return rescue and case.may("name-people") and case.legal(PeopleNamed(at=case.at, people=frozenset({SOMEBODY})))
