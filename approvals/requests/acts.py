"""Acts on a request besides a decision: withdraw, revoke, reassign, name people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model

from approvals.core.approval.events import Delegated, Event, PeopleNamed, Revoked, Withdrawn
from approvals.core.enums import Status
from approvals.models import Remark, Request
from approvals.policies import principals
from approvals.policies.principals import Person, person_of
from approvals.queries.requests import used
from approvals.requests.lookup import found_request
from approvals.requests.messages import notify
from approvals.requests.rights import RIGHTS, require_caller, require_right
from approvals.requests.state.lock import know, locked_now
from approvals.requests.state.locked_request import LockedRequest
from foundation import audit
from foundation.clock import now
from foundation.db import statements
from foundation.errors import BadInput, NotAllowed, WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor


def withdraw(*, request_id: str, actor: Actor, note: str = "") -> Request:
    """Withdraw the request: by the person who asked, or an administrator. Returns it.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the actor may not.
        WrongState: it has ended.
    """
    require_caller("withdraw", actor)
    with locked_now(found_request(request_id).run_id) as (locked, at):
        require_right("withdraw", locked.request, actor)
        return _done(locked, Withdrawn(at=at, by=actor.name), actor, "withdraw", note)


def revoke(*, request_id: str, actor: Actor, note: str = "") -> Request:
    """Take a yes back before it is used: by one of those who gave it, or an administrator. Returns the request.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the actor may not.
        WrongState: it is not approved, or the step has used the yes already.
    """
    require_caller("revoke", actor)
    with locked_now(found_request(request_id).run_id) as (locked, at):
        require_right("revoke", locked.request, actor)
        if locked.request.spent_at:
            remedy = "abort the run, which undoes what can be undone"
            raise WrongState(used(locked.request), field="verb", remedy=remedy)
        return _done(locked, Revoked(at=at, by=actor.name), actor, "revoke", note)


def reassign(*, request_id: str, actor: Actor, to: str, person: str = "", note: str = "") -> Request:
    """Give a seat to another account: the actor's own or, by an administrator, that of `person`. Both are user names.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the actor may not, or `to` lacks the role approver.
        BadInput: there is no such account.
        WrongState: the seat cannot be given to that account now.
    """
    require_caller("reassign", actor)
    target = person_of(_user(to, "to"))
    with locked_now(found_request(request_id).run_id) as (locked, at):
        owner = person_of(_user(person or actor.name, "person") if person or actor.user_id is None else _own(actor))
        right = "reassign" if owner.user_id == actor.user_id else "reassign-another"
        require_right(right, locked.request, actor)
        if target.user_id not in principals.who_may_decide([target.user_id or 0]):
            raise NotAllowed(f"{to} may not decide", field="to", remedy="choose an account with the role approver")
        know(locked.request, target)
        event = Delegated(at=at, person=owner.id, to=target.id, by=actor.name)
        return _done(locked, event, actor, "reassign", note, person=owner.id, to=target.id)


def name_people(*, request_id: str, actor: Actor, users: Iterable[str], note: str = "") -> Request:
    """Have these accounts (user names) decide the open stage instead: by an administrator, for a request in rescue.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the actor is no administrator, or one of the accounts lacks the role approver.
        BadInput: nobody is named, or there is no such account.
        WrongState: the request does not need it.
    """
    require_caller("name-people", actor)
    permissions.require(actor, RIGHTS["name-people"].others)
    found = [person_of(_user(name, "users")) for name in users]
    if not found:
        raise BadInput("nobody is named", field="users", remedy="give at least one user name")
    with locked_now(found_request(request_id).run_id) as (locked, at):
        able = principals.who_may_decide([one.user_id or 0 for one in found])
        unable = [one.name for one in found if one.user_id not in able]
        if unable:
            raise NotAllowed(f"{', '.join(unable)} may not decide", field="users", remedy="give them the role approver")
        for one in found:
            know(locked.request, one)
        event = PeopleNamed(at=at, people=frozenset(one.id for one in found), by=actor.name)
        return _done(locked, event, actor, "name-people", note, people=[one.id for one in found])


def _done(locked: LockedRequest, event: Event, actor: Actor, verb: str, note: str, **data: Any) -> Request:
    if why := locked.refusal(event):
        raise WrongState(why, field="verb")
    audit.record(actor=actor, action=f"approval.{verb}", workflow_id=locked.request.request_id, note=note, **data)
    locked.apply(event, by=actor.name)
    return locked.request


def _user(name: str, field: str) -> Any:
    if (found := principals.account_of(name)) is None:
        raise BadInput(f"there is no user '{name}'", field=field, remedy="use the account's user name")
    return found


def _own(actor: Actor) -> Any:
    return get_user_model().objects.get(pk=actor.user_id or 0)


KINDS = ("question", "answer", "comment")


def remark(*, request_id: str, actor: Actor, person: Person, kind: str, text: str) -> Request:
    """Store a question, answer or comment, and notify those it is for. Returns the request.

    `kind`: one of KINDS. `text`: 1 to 10,000 characters.

    Raises:
        NotFound: there is no such request.
        NotAllowed: the actor may not.
        BadInput: an unknown kind, or a text that is empty or too long.
        WrongState: the request has ended.
    """
    require_caller("remarks", actor)
    request = found_request(request_id)
    if kind not in KINDS:
        raise BadInput(f"'{kind}' is not a remark", field="kind", remedy=f"one of: {', '.join(KINDS)}")
    if not text.strip() or len(text) > 10_000:
        raise BadInput("the text is empty or too long", field="text", remedy="at most 10000 characters")
    if Status(request.status).is_end:
        raise WrongState(f"it is {request.status} already", field="request_id")
    with statements.writing():
        author = {"person": person.id, "name": person.name}
        said = Remark.objects.create(request=request, kind=kind, text=text, at=now(), **author)
        notify.tell_remark(said)
        audit.record(actor=actor, action=f"approval.{kind}", workflow_id=request.request_id, note=text)
    return request
