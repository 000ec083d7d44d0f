"""Whom a message about a request goes to: people as the notifications room knows them, and channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from approvals.core.approval.state import State
from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Request
from approvals.policies.delegation_rules import delegations_of
from approvals.requests.messages.links import link_for
from foundation.clock import now
from foundation.identity import permissions
from notifications.message import Person
from notifications.services import existing_channels, of_account


def administrators() -> list[Person]:
    """All active administrators, at most 100."""
    return accounts(Q(groups__name=permissions.ADMINISTRATOR) | Q(is_superuser=True))


def deciders(request: Request, state: State, ids: Iterable[str]) -> list[Person]:
    """The people who are asked, and the delegates of those who are away."""
    found = [_person(request, one, stage=state.stage) for one in ids]
    owners = [one.user_id for one in found if one.user_id is not None]
    return found + [of_account(rule.to) for rule in delegations_of(owners, request, state, at=now())]


def _person(request: Request, person: str, *, stage: int) -> Person:
    """An account is written to at the address that it has now."""
    known = _known(request, person)
    user_id, name = known.get("user_id"), known.get("name", person)
    if user_id is None:
        url = link_for(request, person, stage=stage)
        return Person(user_id=None, name=name, email=known.get("email", ""), url=url, id=person)
    return Person(user_id=user_id, name=name, id=person)


def _known(request: Request, person: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.people.get(person, {})
    return found


def requester_of(request: Request) -> list[Person]:
    """The person who asked; none where it was asked without an account: another account may have that name by now."""
    kind, _, pk = request.requester_person.partition(":")
    return accounts(Q(pk=pk)) if kind == "user" else []


def accounts(which: Q) -> list[Person]:
    """The active accounts of the query, at most 100."""
    users = get_user_model().objects.filter(which, is_active=True).distinct()[:100]
    return [of_account(user) for user in users]


def channels_of(request: Request, state: State) -> tuple[str, ...]:
    """The channels of the open stage that exist; one that was deleted since is left out."""
    stages = PolicyDefinition.model_validate(request.policy.body).stages
    return tuple(existing_channels(stages[state.stage].channels))
