"""The one door: every button, link, call and command that decides comes through here.

It locks the run, the request and the votes, in this order; asks the database's clock; counts under the lock; and writes
vote, audit and everything that follows in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from approvals import folding, people
from approvals.answers import answers_to
from approvals.content import content_hash, laid_over
from approvals.core.events import Delegated, Event, Voted
from approvals.core.guards import BARRED
from approvals.core.policy import PolicyDefinition, Stage
from approvals.core.words import Choice, Status
from approvals.folding import Held
from approvals.models import Delegation, Request, Vote
from approvals.people import Person, person_of, user_id_of
from approvals.services.given import change_by, check_comment, check_seen
from approvals.services.held import held_now, know
from approvals.services.view import run_of
from approvals.standing import boxes_of, learn, let_go, who_left
from approvals.times import time_in
from orchestration import audit, roles
from orchestration.audit import Actor
from orchestration.errors import BadInput, Gone, NotAllowed, WrongState


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How the decider was known: `strength` such as login, token or link; `detail` such as the client's address."""

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
    """The request after this person's word. `seen`: the hash of the content that was shown to them.

    Raises NotFound, NotAllowed (no seat here), BadInput, WrongState (somebody or something was first; it says who),
    Gone (the time is over). Then nothing has changed but what the clock does: a request that is over has ended.
    """
    roles.require(actor, "view")
    word = _choice(choice)
    with held_now(run_of(request_id)) as (held, at):
        votes = list(held.request.votes.filter(round=held.state.round))
        if _is_repeated(votes, person, word):
            return held.request
        ended = held.state.status.is_end
        if not ended:
            _authorise(held, actor, person)
        delegation = _delegated(held, person, at)
        if not ended:
            _check_standing(held, person, votes)
        event = Voted(at=at, person=person.id, choice=word)
        _refuse(held, event, person)
        stage = _stage(held)
        check_comment(stage, word, comment)
        answered = answers_to(stage.form, word, answers or {})
        check_seen(held, word, seen)
        change = change_by(held, stage, word, edits or {})
        if change:
            held.request.edits = {**held.request.edits, **change}
            held.request.shown_hash = content_hash(laid_over(held.request.content, held.request.edits))
        _store(held, event, person, comment, change, answered, delegation, actor, evidence or Evidence())
        folding.fold(held, event, by=person.name)
        let_go(held, at, by=person.name)
        if change:
            held.request.save(update_fields=["edits", "shown_hash"])
    return held.request


def _choice(choice: Choice | str) -> Choice:
    try:
        return Choice(choice)
    except ValueError:
        raise BadInput(
            f"'{choice}' is not a decision", field="decision", remedy=f"one of: {', '.join(Choice)}"
        ) from None


def _authorise(held: Held, actor: Actor, person: Person) -> None:
    """Again, now: the account may have been closed, or have left the role, since it was asked.

    Whoever asked for it hears that first: a role would not help them.
    """
    if person.id in held.plan.barred:
        raise NotAllowed(BARRED, field="person", remedy="ask one of those who decide")
    seated = [held.request.people.get(seat.owner, {}).get("user_id") for seat in held.state.seats]
    others = map(user_id_of, (*held.plan.barred, *(vote.person for vote in held.state.spoken)))
    learn((pk for pk in (person.user_id, *seated, *others) if pk is not None), held.accounts)
    account = held.accounts.get(person.user_id) if person.user_id is not None else None
    if person.user_id is not None and not (account and people.may_decide(account)):
        raise NotAllowed(f"{person.name} may not decide", field="role", remedy="ask for the role approver")
    roles.require(actor, "approval.decide")


def _check_standing(held: Held, person: Person, votes: list[Vote]) -> None:
    """Whether they still are whom the policy means, and one human being with one voice."""
    mine = boxes_of(held, person.id, person.email)
    if any(mine & boxes_of(held, one) for one in held.plan.barred):
        raise NotAllowed(BARRED, field="person", remedy="ask one of those who decide")
    for vote in votes:
        if vote.person != person.id and mine & boxes_of(held, vote.person):
            raise WrongState(f"{vote.name} has decided already, with the same address", field="person")
    if person.id in who_left(held.request, held.plan, held.state, known=held.accounts):
        raise NotAllowed(
            f"{person.name} is not among those any more whom the policy names", field="person",
            remedy="an administrator can name you, or ask one of those who decide",
        )  # fmt: skip


def _delegated(held: Held, person: Person, at: datetime) -> Delegation | None:
    """Somebody who is away has a seat that this person fills for them: it moves over before the vote."""
    if person.user_id is None or held.state.seat_of(person.id) is not None or held.state.status.is_end:
        return None
    owners = {person_id: info.get("user_id") for person_id, info in held.request.people.items()}
    waiting = [one for one in held.state.awaited if owners.get(one)]
    rules = Delegation.objects.filter(
        to_id=person.user_id, owner_id__in=[owners[one] for one in waiting], starts_at__lte=at, ends_at__gt=at,
        ended_at=None,
    ).order_by("pk")  # fmt: skip
    for rule in rules:
        if not rule.covers(held.request.policy.name):
            continue
        owner = f"user:{rule.owner_id}"
        event = Delegated(at=at, person=owner, to=person.id, by="delegation")
        if not folding.why_not(held, event):
            know(held.request, person)
            folding.fold(held, event)
            return rule
    return None


def _is_repeated(votes: list[Vote], person: Person, word: Choice) -> bool:
    """The same word of the same person again, such as a double click: it has been heard."""
    own = [vote for vote in votes if vote.person == person.id]
    return bool(own) and own[-1].choice == word


def _refuse(held: Held, event: Event, person: Person) -> None:
    why = folding.why_not(held, event)
    if not why:
        return
    request, state = held.request, held.state
    if state.status is Status.EXPIRED:
        raise Gone(
            f"nobody decided in time: it was over at {_time(request)}, and has expired", field="decision",
            remedy="have it asked anew",
        )  # fmt: skip
    if state.status.is_end:
        by = f" by {request.decided_by}" if request.decided_by else ""
        raise WrongState(f"it is {state.status} already{by}, since {_time(request)}", field="decision")
    if person.id in held.plan.barred or state.seat_of(person.id) is None:
        raise NotAllowed(why, field="person", remedy="ask one of those who decide, or have it delegated to you")
    raise WrongState(why, field="decision")


def _time(request: Request) -> str:
    return time_in(request, request.decided_at, seconds=True) if request.decided_at else "just now"


def _stage(held: Held) -> Stage:
    stages = PolicyDefinition.model_validate(held.request.policy.body).stages
    return stages[held.state.stage]


def _store(
    held: Held, event: Voted, person: Person, comment: str, edits: Mapping[str, Any], answers: Mapping[str, Any],
    delegation: Delegation | None, actor: Actor, evidence: Evidence,
) -> None:  # fmt: skip
    seat = held.state.seat_of(person.id)
    owner = seat.owner if seat else person.id
    stage = held.plan.stages[held.state.stage].name
    try:
        Vote.objects.create(
            request=held.request, round=held.state.round, stage=stage, person=person.id, name=person.name, owner=owner,
            user_id=person.user_id, delegation=delegation, choice=event.choice, comment=comment, edits=dict(edits),
            answers=dict(answers), content_hash=held.request.shown_hash, door=actor.door, strength=evidence.strength,
            evidence=dict(evidence.detail), at=event.at,
        )  # fmt: skip
    except IntegrityError:
        raise WrongState("this person has decided already", field="decision") from None
    audit.record(
        actor=actor, action=f"approval.{event.choice}", workflow_id=held.request.request_id, note=comment,
        person=person.id, on_behalf_of=owner if owner != person.id else "", stage=stage, round=held.state.round,
        content=held.request.shown_hash, edits=dict(edits), answers=dict(answers),
        strength=evidence.strength, evidence=dict(evidence.detail),
    )  # fmt: skip


__all__ = ["Evidence", "decide", "person_of"]
