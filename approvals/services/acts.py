"""What else can be done to a request: withdraw, take back, hand on, name people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model

from approvals import folding, people
from approvals.core.events import Delegated, Event, PeopleNamed, Revoked, Withdrawn
from approvals.folding import Held
from approvals.models import Request
from approvals.own import asked_it, gave_a_yes
from approvals.people import person_of
from approvals.selectors import used
from approvals.services.held import held_now, know
from approvals.services.view import found_request
from orchestration import audit, roles
from orchestration.audit import Actor
from orchestration.errors import BadInput, NotAllowed, WrongState


def withdraw(*, request_id: str, actor: Actor, note: str = "") -> Request:
    """By whoever asked, or an administrator."""
    roles.require(actor, "view")
    roles.within(actor, "approval.ask", "approval.manage")
    with held_now(found_request(request_id).run_id) as (held, at):
        if not asked_it(held.request, actor):
            roles.require(actor, "approval.manage")
        return _done(held, Withdrawn(at=at, by=actor.name), actor, "withdraw", note)


def revoke(*, request_id: str, actor: Actor, note: str = "") -> Request:
    """A yes is taken back before it was used: by one of those who gave it, or an administrator."""
    roles.require(actor, "view")
    roles.within(actor, "approval.decide", "approval.manage")
    with held_now(found_request(request_id).run_id) as (held, at):
        if not gave_a_yes(held.request, actor):
            roles.require(actor, "approval.manage")
        if held.request.spent_at:
            raise WrongState(
                used(held.request), field="verb", remedy="abort the run, which undoes what can be undone"
            )  # fmt: skip
        return _done(held, Revoked(at=at, by=actor.name), actor, "revoke", note)


def reassign(*, request_id: str, actor: Actor, to: str, person: str = "", note: str = "") -> Request:
    """Give a seat to another account: one's own, or, for an administrator, that of `person` (a user name)."""
    roles.require(actor, "view")
    roles.within(actor, "approval.decide", "approval.manage")
    target = person_of(_user(to, "to"))
    with held_now(found_request(request_id).run_id) as (held, at):
        owner = person_of(_user(person or actor.name, "person") if person or actor.user_id is None else _own(actor))
        if owner.user_id != actor.user_id:
            roles.require(actor, "approval.manage")
        if target.user_id not in people.who_may_decide([target.user_id or 0]):
            raise NotAllowed(f"{to} may not decide", field="to", remedy="choose somebody with the role approver")
        know(held.request, target)
        event = Delegated(at=at, person=owner.id, to=target.id, by=actor.name)
        return _done(held, event, actor, "reassign", note, person=owner.id, to=target.id)


def name_people(*, request_id: str, actor: Actor, users: Iterable[str], note: str = "") -> Request:
    """An administrator says who decides the open stage instead."""
    roles.require(actor, "approval.manage")
    found = [person_of(_user(name, "users")) for name in users]
    if not found:
        raise BadInput("nobody is named", field="users", remedy="give at least one user name")
    with held_now(found_request(request_id).run_id) as (held, at):
        able = people.who_may_decide([one.user_id or 0 for one in found])
        unable = [one.name for one in found if one.user_id not in able]
        if unable:
            raise NotAllowed(f"{', '.join(unable)} may not decide", field="users", remedy="give them the role approver")
        for one in found:
            know(held.request, one)
        event = PeopleNamed(at=at, people=frozenset(one.id for one in found), by=actor.name)
        return _done(held, event, actor, "name-people", note, people=[one.id for one in found])


def _done(held: Held, event: Event, actor: Actor, verb: str, note: str, **data: Any) -> Request:
    why = folding.why_not(held, event)
    if why:
        raise WrongState(why, field="verb")
    audit.record(actor=actor, action=f"approval.{verb}", workflow_id=held.request.request_id, note=note, **data)
    folding.fold(held, event, by=actor.name)
    return held.request


def _user(name: str, field: str) -> Any:
    found = people.account_of(name)
    if found is None:
        raise BadInput(f"there is no user '{name}'", field=field, remedy="use the account's user name")
    return found


def _own(actor: Actor) -> Any:
    return get_user_model().objects.get(pk=actor.user_id or 0)
