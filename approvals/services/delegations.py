"""Somebody is away: who decides for them, from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from approvals.deputies import tell_of
from approvals.models import Delegation
from approvals.services.policies import named_policies
from orchestration import audit, roles, sql
from orchestration.audit import Actor
from orchestration.clock import now
from orchestration.errors import BadInput, NotFound


def delegate_while_away(
    *, actor: Actor, owner: Any, to: Any, starts_at: datetime, ends_at: datetime, policies: Iterable[str] = (),
    reason: str = "",
) -> Delegation:  # fmt: skip
    """By the owner, or an administrator for them. It counts when a decision is made, and goes one hop only."""
    roles.require(actor, "view")
    roles.within(actor, "approval.decide", "approval.manage")
    if actor.user_id != owner.pk:
        roles.require(actor, "approval.manage")
    if owner.pk == to.pk:
        raise BadInput("nobody can delegate to themselves", field="to", remedy="choose another account")
    if not roles.roles_of(to) & roles.MAY["approval.decide"]:
        raise BadInput(f"{to} may not decide", field="to", remedy="choose somebody with the role approver")
    if ends_at <= starts_at or ends_at <= now():
        raise BadInput("it would end before it begins", field="ends_at", remedy="give a later time")
    only = named_policies(policies)
    with sql.writing():
        rule = Delegation.objects.create(
            owner=owner, to=to, starts_at=starts_at, ends_at=ends_at, policies=only, reason=reason,
            created_by=actor.name,
        )  # fmt: skip
        audit.record(actor=actor, action="delegation.create", delegation=rule.pk, owner=str(owner), to=str(to))
        if starts_at <= (at := now()):
            tell_of(rule, at)
    return rule


def end_delegation(*, actor: Actor, delegation_id: int) -> Delegation:
    roles.require(actor, "view")
    roles.within(actor, "approval.decide", "approval.manage")
    rule = Delegation.objects.filter(pk=delegation_id).select_related("owner", "to").first()
    if rule is None:
        raise NotFound(f"there is no delegation {delegation_id}", field="delegation_id")
    if actor.user_id != rule.owner_id:
        roles.require(actor, "approval.manage")
    with sql.writing():
        if Delegation.objects.filter(pk=rule.pk, ended_at=None).update(ended_at=now()):
            audit.record(actor=actor, action="delegation.end", delegation=rule.pk)
    rule.refresh_from_db()
    return rule
