"""Delegations: who decides for an account that is away, from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from approvals.models import Delegation
from approvals.policies.publish import named_policies
from approvals.requests.messages.summaries import tell_of
from foundation import audit
from foundation.clock import now
from foundation.db import statements
from foundation.errors import BadInput, NotFound
from foundation.identity import permissions
from foundation.identity.actor import Actor


def delegate_while_away(
    *, actor: Actor, owner: Any, to: Any, starts_at: datetime, ends_at: datetime, policies: Iterable[str] = (),
    reason: str = "",
) -> Delegation:  # fmt: skip
    """Have `to` decide for `owner` between two aware times: by the owner, or an administrator for them.

    It counts at the moment of a decision, and cannot be delegated again. `policies`: only requests of these; empty is
    all.

    Raises:
        NotAllowed: the actor may not.
        BadInput: owner and delegate are one, the delegate lacks the role approver, the times are wrong, or there is no
            such policy.
    """
    permissions.require(actor, "view")
    permissions.within(actor, "approval.decide", "approval.manage")
    if actor.user_id != owner.pk:
        permissions.require(actor, "approval.manage")
    if owner.pk == to.pk:
        raise BadInput("a vote cannot be delegated to its own holder", field="to", remedy="choose another account")
    if not permissions.roles_of(to) & permissions.MAY["approval.decide"]:
        raise BadInput(f"{to} may not decide", field="to", remedy="choose an account with the role approver")
    if ends_at <= starts_at or ends_at <= now():
        raise BadInput("it would end before it begins", field="ends_at", remedy="give a later time")
    only = named_policies(policies)
    with statements.writing():
        rule = Delegation.objects.create(
            owner=owner, to=to, starts_at=starts_at, ends_at=ends_at, policies=only, reason=reason,
            created_by=actor.name,
        )  # fmt: skip
        audit.record(actor=actor, action="delegation.create", delegation=rule.pk, owner=str(owner), to=str(to))
        if starts_at <= (at := now()):
            tell_of(rule, at)
    return rule


def end_delegation(*, actor: Actor, delegation_id: int) -> Delegation:
    """End a delegation now: by its owner, or an administrator. One that has ended stays as it is.

    Raises:
        NotFound: there is none with this id.
        NotAllowed: the actor may not.
    """
    permissions.require(actor, "view")
    permissions.within(actor, "approval.decide", "approval.manage")
    rule = Delegation.objects.filter(pk=delegation_id).select_related("owner", "to").first()
    if rule is None:
        raise NotFound(f"there is no delegation {delegation_id}", field="delegation_id")
    if actor.user_id != rule.owner_id:
        permissions.require(actor, "approval.manage")
    with statements.writing():
        if Delegation.objects.filter(pk=rule.pk, ended_at=None).update(ended_at=now()):
            audit.record(actor=actor, action="delegation.end", delegation=rule.pk)
    rule.refresh_from_db()
    return rule
