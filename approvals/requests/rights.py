"""Who may do what to a request: one rule for each act, asked when it is done and when it is offered.

By ids of accounts, since names change and are used again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from approvals.core.enums import Choice
from approvals.models import Request
from approvals.policies.principals import person_id
from foundation.errors import NotAllowed
from foundation.identity import permissions
from foundation.identity.actor import Actor


def asked_it(request: Request, actor: Actor) -> bool:
    """Whether the actor asked it. Without an account on both sides, the actor of the same name did."""
    if actor.user_id is None or not request.requester_person:
        return actor.user_id is None and not request.requester_person and actor.name == request.requester
    return request.requester_person == person_id(actor.user_id)


def gave_a_yes(request: Request, actor: Actor) -> bool:
    """Whether the actor approved it in this round."""
    if actor.user_id is None:
        return False
    return request.votes.filter(round=request.round, user_id=actor.user_id, choice=Choice.APPROVE).exists()


def _anybody(request: Request, actor: Actor) -> bool:
    return True


def _nobody(request: Request, actor: Actor) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """`own`: whether the act is the actor's own, whatever their role; `others`: the right that everybody else needs.

    `scopes`: a token needs one of these, whoever it belongs to.
    """

    scopes: tuple[str, ...]
    own: Callable[[Request, Actor], bool]
    others: str


RIGHTS = {
    "withdraw": Right(scopes=("approval.ask", "approval.manage"), own=asked_it, others="approval.manage"),
    "resubmit": Right(scopes=("approval.ask", "approval.manage"), own=asked_it, others="approval.manage"),
    "remind": Right(scopes=("approval.ask",), own=asked_it, others="approval.ask"),
    "revoke": Right(scopes=("approval.decide", "approval.manage"), own=gave_a_yes, others="approval.manage"),
    "reassign": Right(scopes=("approval.decide", "approval.manage"), own=_anybody, others="approval.manage"),
    "reassign-another": Right(scopes=("approval.manage",), own=_nobody, others="approval.manage"),
    "name-people": Right(scopes=("approval.manage",), own=_nobody, others="approval.manage"),
    "remarks": Right(scopes=("approval.ask", "approval.decide"), own=_anybody, others="view"),
}
"""By the name that the REST API has for the act. `reassign`: of one's own seat."""


def require_caller(act: str, actor: Actor) -> None:
    """Refuse before the request is looked for: a caller who may not see requests is not told whether it exists.

    Raises:
        NotAllowed: the actor has no role, or the token not the scope.
    """
    permissions.require(actor, "view")
    permissions.within(actor, *RIGHTS[act].scopes)


def require_right(act: str, request: Request, actor: Actor) -> None:
    """Refuse what the actor may not do. Whether it is legal in the request's state, `core.approval.guards` says.

    Raises:
        NotAllowed: with the role that it takes.
    """
    require_caller(act, actor)
    if not RIGHTS[act].own(request, actor):
        permissions.require(actor, RIGHTS[act].others)


def may(act: str, request: Request, actor: Actor) -> bool:
    """Whether `require_right` would let the actor pass."""
    try:
        require_right(act, request, actor)
    except NotAllowed:
        return False
    return True
