"""Whose a request is, and whose a yes: by account, since names change and are used again."""

from __future__ import annotations

from approvals.core.words import Choice
from approvals.models import Request
from approvals.people import person_id
from orchestration.audit import Actor


def asked_it(request: Request, actor: Actor) -> bool:
    """Whether the request is theirs. What was asked without an account is of whoever acts without one, by that name."""
    if actor.user_id is None or not request.requester_person:
        return actor.user_id is None and not request.requester_person and actor.name == request.requester
    return request.requester_person == person_id(actor.user_id)


def gave_a_yes(request: Request, actor: Actor) -> bool:
    """Whether one of the approvals of the round is theirs."""
    if actor.user_id is None:
        return False
    return request.votes.filter(round=request.round, user_id=actor.user_id, choice=Choice.APPROVE).exists()
