"""Decide a request: every button, link, call and command that decides calls `decide`.

It locks the run, the request and the votes, in this order; reads the database's clock; counts under the lock; and
writes vote, audit and everything that follows in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from approvals.core.approval.events import Delegated, Event, Voted
from approvals.core.approval.guards import BARRED
from approvals.core.content import apply_edits, content_hash
from approvals.core.enums import Choice, Status
from approvals.core.policy.definition import PolicyDefinition, Stage
from approvals.models import Delegation, Request, Vote
from approvals.policies import principals
from approvals.policies.local_times import time_in
from approvals.policies.principals import Person, person_of, user_id_of
from approvals.requests.form_answers import answers_to
from approvals.requests.lookup import run_of
from approvals.requests.state.eligibility import boxes_of, learn, no_longer_eligible, remove_ineligible
from approvals.requests.state.lock import know, locked_now
from approvals.requests.state.locked_request import LockedRequest
from approvals.requests.vote_checks import change_by, check_comment, check_place, check_seen
from foundation import audit, telemetry
from foundation.errors import BadInput, Gone, NotAllowed, WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How the decider was known.

    `strength`: login, session, token, link, process …; `detail`: JSON, such as the address.
    """

    strength: str = "login"
    detail: Mapping[str, Any] = field(default_factory=dict)


def decide(
    *,
    request_id: str,
    actor: Actor,
    person: Person,
    choice: Choice | str,
    comment: str = "",
    edits: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    seen: str = "",
    evidence: Evidence | None = None,
) -> Request:
    """Store a person's decision; returns the request after it.

    The same decision of the same person again changes nothing.

    `seen`: the hash of the content that was shown to them; a yes needs it. `edits`: {path: value} that this yes
    changes. `answers`: {field: value} of the stage's form. `evidence`: how the door knows the person.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the person has no seat here, may not decide, or asked for it themselves.
        BadInput: no such decision; a comment, answer or `seen` is missing; an edit that the policy does not allow.
        WrongState: the request was decided by then (it says by whom), or has changed since it was seen.
        Gone: the time is over. Nothing else has changed then, but that the request has ended.
    """
    permissions.require(actor, "view")
    word = _choice(choice)
    with telemetry.span("approval decide") as span, locked_now(run_of(request_id)) as (locked, at):
        span.link(locked.run.trace)
        votes = list(locked.request.votes.filter(round=locked.state.round))
        if _is_repeated(votes, person, word):
            return locked.request
        delegation = _admitted(locked, actor, person, votes, at)
        event = Voted(at=at, person=person.id, choice=word)
        _refuse(locked, event, person)
        check_place(locked.request, word, comment)
        check_comment(stage := _stage(locked), word, comment)
        answered = answers_to(stage.form, word, answers or {})
        check_seen(locked, word, seen)
        change = change_by(locked, stage, word, edits or {})
        _edit(locked, change)
        _store(locked, event, person, comment, change, answered, delegation, actor, evidence or Evidence())
        locked.apply(event, by=person.name)
        remove_ineligible(locked, at, by=person.name)
        if change:
            locked.request.save(update_fields=["edits", "shown_hash"])
    return locked.request


def _admitted(
    locked: LockedRequest, actor: Actor, person: Person, votes: list[Vote], at: datetime
) -> Delegation | None:
    """The delegation by which this person decides, if any; of a request that has ended nothing else is asked."""
    ended = locked.state.status.is_end
    if not ended:
        _authorise(locked, actor, person)
    delegation = _delegated(locked, person, at)
    if not ended:
        _check_eligibility(locked, person, votes)
    return delegation


def _edit(locked: LockedRequest, change: Mapping[str, Any]) -> None:
    """What this yes changes of the content, which its hash then is of; saved once the vote is applied."""
    if change:
        locked.request.edits = {**locked.request.edits, **change}
        locked.request.shown_hash = content_hash(apply_edits(locked.request.content, locked.request.edits))


def _choice(choice: Choice | str) -> Choice:
    try:
        return Choice(choice)
    except ValueError:
        raise BadInput(
            f"'{choice}' is not a decision", field="decision", remedy=f"one of: {', '.join(Choice)}"
        ) from None


def _authorise(locked: LockedRequest, actor: Actor, person: Person) -> None:
    """Judge rights again, now: the account may have been closed, or have left the role, since it was asked.

    That a person asked for it themselves is said first, since a role would not help them.
    """
    if person.id in locked.plan.barred:
        raise NotAllowed(BARRED, field="person", remedy="ask one of those who decide")
    seated = [locked.request.people.get(seat.owner, {}).get("user_id") for seat in locked.state.seats]
    others = map(user_id_of, (*locked.plan.barred, *(vote.person for vote in locked.state.spoken)))
    learn((pk for pk in (person.user_id, *seated, *others) if pk is not None), locked.accounts)
    account = locked.accounts.get(person.user_id) if person.user_id is not None else None
    if person.user_id is not None and not (account and principals.may_decide(account)):
        raise NotAllowed(f"{person.name} may not decide", field="role", remedy="ask for the role approver")
    permissions.require(actor, "approval.decide")


def _check_eligibility(locked: LockedRequest, person: Person, votes: list[Vote]) -> None:
    """Whether they still are whom the policy means, and one human being with one voice."""
    mine = boxes_of(locked, person.id, person.email)
    if any(mine & boxes_of(locked, one) for one in locked.plan.barred):
        raise NotAllowed(BARRED, field="person", remedy="ask one of those who decide")
    for vote in votes:
        if vote.person != person.id and mine & boxes_of(locked, vote.person):
            raise WrongState(f"{vote.name} has decided already, with the same address", field="person")
    if person.id in no_longer_eligible(locked.request, locked.plan, locked.state, known=locked.accounts):
        raise NotAllowed(
            f"{person.name} is no longer among the people named by the policy", field="person",
            remedy="an administrator can name you, or ask one of those who decide",
        )  # fmt: skip


def _delegated(locked: LockedRequest, person: Person, at: datetime) -> Delegation | None:
    """The delegation by which this person fills the seat of one who is away; the seat moves over before the vote."""
    if person.user_id is None or locked.state.seat_of(person.id) is not None or locked.state.status.is_end:
        return None
    owners = {person_id: info.get("user_id") for person_id, info in locked.request.people.items()}
    waiting = [one for one in locked.state.awaited if owners.get(one)]
    rules = Delegation.objects.filter(
        to_id=person.user_id, owner_id__in=[owners[one] for one in waiting], starts_at__lte=at, ends_at__gt=at,
        ended_at=None,
    ).order_by("pk")  # fmt: skip
    for rule in rules:
        if not rule.covers(locked.request.policy.name):
            continue
        owner = f"user:{rule.owner_id}"
        event = Delegated(at=at, person=owner, to=person.id, by="delegation")
        if not locked.refusal(event):
            know(locked.request, person)
            locked.apply(event)
            return rule
    return None


def _is_repeated(votes: list[Vote], person: Person, word: Choice) -> bool:
    """The same decision of the same person again, such as a double click, is not stored twice."""
    own = [vote for vote in votes if vote.person == person.id]
    return bool(own) and own[-1].choice == word


def _refuse(locked: LockedRequest, event: Event, person: Person) -> None:
    why = locked.refusal(event)
    if not why:
        return
    request, state = locked.request, locked.state
    if state.status is Status.EXPIRED:
        raise Gone(
            f"nobody decided in time: it was over at {_time(request)}, and has expired", field="decision",
            remedy="ask for a new request",
        )  # fmt: skip
    if state.status.is_end:
        by = f" by {request.decided_by}" if request.decided_by else ""
        raise WrongState(f"it is {state.status} already{by}, since {_time(request)}", field="decision")
    if person.id in locked.plan.barred or state.seat_of(person.id) is None:
        raise NotAllowed(why, field="person", remedy="ask one of those who decide, or have it delegated to you")
    raise WrongState(why, field="decision")


def _time(request: Request) -> str:
    return time_in(request, request.decided_at, seconds=True) if request.decided_at else "just now"


def _stage(locked: LockedRequest) -> Stage:
    stages = PolicyDefinition.model_validate(locked.request.policy.body).stages
    return stages[locked.state.stage]


def _store(
    locked: LockedRequest, event: Voted, person: Person, comment: str, edits: Mapping[str, Any],
    answers: Mapping[str, Any], delegation: Delegation | None, actor: Actor, evidence: Evidence,
) -> None:  # fmt: skip
    seat = locked.state.seat_of(person.id)
    owner = seat.owner if seat else person.id
    stage = locked.plan.stages[locked.state.stage].name
    try:
        Vote.objects.create(
            request=locked.request, round=locked.state.round, stage=stage, person=person.id, name=person.name,
            owner=owner, user_id=person.user_id, delegation=delegation, choice=event.choice, comment=comment,
            edits=dict(edits), answers=dict(answers), content_hash=locked.request.shown_hash, door=actor.door,
            strength=evidence.strength, evidence=dict(evidence.detail), at=event.at,
        )  # fmt: skip
    except IntegrityError:
        raise WrongState("this person has decided already", field="decision") from None
    audit.record(
        actor=actor, action=f"approval.{event.choice}", workflow_id=locked.request.request_id, note=comment,
        person=person.id, on_behalf_of=owner if owner != person.id else "", stage=stage, round=locked.state.round,
        content=locked.request.shown_hash, edits=dict(edits), answers=dict(answers),
        strength=evidence.strength, evidence=dict(evidence.detail),
    )  # fmt: skip


__all__ = ["Evidence", "decide", "person_of"]
