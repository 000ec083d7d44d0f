"""Who may decide for an account that is away: by which delegations, and who never."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from approvals.core.approval.state import State
from approvals.models import Delegation, Request
from approvals.policies import principals
from foundation.identity.names import mailbox


def in_force(at: datetime) -> QuerySet[Delegation]:
    """The delegations that count at that moment (aware)."""
    return Delegation.objects.filter(starts_at__lte=at, ends_at__gt=at, ended_at=None)


def delegations_of(owners: Iterable[int], request: Request, state: State, *, at: datetime) -> list[Delegation]:
    """The delegations by which others can decide this request for these accounts.

    A delegate who is barred from it, has decided already, or has a closed account or no role to decide is left out.
    """
    rules = [one for one in in_force(at).filter(owner_id__in=owners) if one.covers(request.policy.name)]
    accounts = principals.accounts().in_bulk({rule.to_id for rule in rules})
    for rule in rules:
        rule.to = accounts[rule.to_id]
    return [one for one in rules if can_stand_in(one.to, request, state)]


def can_stand_in(user: Any, request: Request, state: State) -> bool:
    """Whether this account may decide the request for another."""
    barred = set(request.plan["barred"])
    is_theirs = bool(ids_of_account(user) & barred)
    return principals.may_decide(user) and not is_theirs and not state.has_spoken(principals.person_id(user.pk))


def ids_of_account(user: Any) -> set[str]:
    """The person ids under which an account can be barred: its own, and that of its mailbox."""
    box = {f"email:{mailbox(user.email)}"} if user.email else set()
    return {principals.person_id(user.pk), *box}


def without_own(found: QuerySet[Request], user: Any) -> QuerySet[Request]:
    """Without the requests that this account is barred from."""
    theirs = Q(pk__in=[])
    for one in ids_of_account(user):  # JSON is searched as text, and databases write letters beyond ASCII in two ways
        for text in {json.dumps(one), json.dumps(one, ensure_ascii=False)}:
            theirs |= Q(barred__contains=text)
    return found.alias(barred=KeyTextTransform("barred", "plan")).exclude(theirs)
