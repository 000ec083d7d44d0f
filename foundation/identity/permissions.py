"""Who may do what. Roles are Django groups made by a migration; a superuser is an administrator."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from foundation.errors import BadInput, NotAllowed
from foundation.identity.actor import Actor

VIEWER, OPERATOR, APPROVER, ADMINISTRATOR = "viewer", "operator", "approver", "administrator"
ROLES = (VIEWER, OPERATOR, APPROVER, ADMINISTRATOR)

MAY: dict[str, frozenset[str]] = {
    "view": frozenset(ROLES),
    "run.start": frozenset({OPERATOR, ADMINISTRATOR}),
    "definition.publish": frozenset({OPERATOR, ADMINISTRATOR}),
    "run.act": frozenset({OPERATOR, ADMINISTRATOR}),
    "run.force-stop": frozenset({ADMINISTRATOR}),
    "approval.ask": frozenset({OPERATOR, ADMINISTRATOR}),
    "approval.decide": frozenset({APPROVER, ADMINISTRATOR}),
    "approval.manage": frozenset({ADMINISTRATOR}),
    "policy.publish": frozenset({ADMINISTRATOR}),
    "alert.act": frozenset({OPERATOR, ADMINISTRATOR}),
    "alert.manage": frozenset({ADMINISTRATOR}),
    "recovery.trigger": frozenset({OPERATOR, ADMINISTRATOR}),
    "recovery.manage": frozenset({ADMINISTRATOR}),
    "callback.act": frozenset({OPERATOR, ADMINISTRATOR}),
    "callback.keys": frozenset({ADMINISTRATOR}),
    "agent.act": frozenset({OPERATOR, ADMINISTRATOR}),
    "agent.manage": frozenset({ADMINISTRATOR}),
}

AGENTS_NEVER = frozenset(
    {
        "approval.decide", "approval.manage", "policy.publish", "alert.act", "alert.manage", "recovery.manage",
        "agent.act", "agent.manage", "run.force-stop",
    }
)  # fmt: skip
"""What no token of an agent is good for: deciding, saying who or what decides instead or acts by itself, keeping alerts
quiet, saying which programs workers start as agents, and ending a run with nothing undone."""

IN_WORDS = {
    "view": "look at anything here",
    "run.start": "start runs",
    "definition.publish": "publish definitions",
    "run.act": "act on runs",
    "run.force-stop": "force-stop runs",
    "approval.ask": "ask for approval",
    "approval.decide": "decide approvals",
    "approval.manage": "manage approvals",
    "policy.publish": "publish policies",
    "alert.act": "act on alerts",
    "alert.manage": "change the rules of alerts",
    "recovery.trigger": "trigger recovery",
    "recovery.manage": "manage recovery",
    "callback.act": "act on callbacks",
    "callback.keys": "change the keys of callbacks",
    "agent.act": "check agents, and switch them on and off",
    "agent.manage": "add and remove agents",
}


def roles_of(user: Any) -> frozenset[str]:
    """The roles of a Django user; none for an anonymous or inactive one. No query where its groups were prefetched."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset({ADMINISTRATOR})
    return frozenset(group.name for group in user.groups.all()) & MAY["view"]


def account_called(name: str, *, field: str) -> Any:
    """The account of this user name. Raises BadInput where there is none."""
    users: Any = get_user_model()
    found = users.objects.filter(**{users.USERNAME_FIELD: name}).first()
    if found is None:
        remedy = "add the account first, in the admin under Users"
        raise BadInput(f"there is no user '{name}'", field=field, remedy=remedy)
    return found


def actor_for(user: Any, *, door: str) -> Actor:
    """The actor for an account, with the account's roles and no more. For tokens: `authentication.actor_of`."""
    return Actor(name=user.get_username(), door=door, roles=roles_of(user), user_id=user.pk)


def as_account(name: str, *, door: str, field: str) -> Actor:
    """The actor for an account that is named at a door without accounts, such as the console.

    Raises BadInput: no account.
    """
    return actor_for(account_called(name, field=field), door=door)


def may(actor: Actor, what: str) -> bool:
    """Whether the roles, and the token's scopes, allow it. `what`: a key of MAY."""
    return bool(actor.roles & MAY[what]) and (actor.scopes is None or what in actor.scopes)


def within(actor: Actor, *scopes: str) -> None:
    """For what belongs to a person and needs no role: a token must have one of these scopes, or be without any bounds.

    Raises:
        NotAllowed: it has none of them.
    """
    if actor.scopes is not None and not actor.scopes & set(scopes):
        raise _beyond(scopes[0])


def _beyond(what: str) -> NotAllowed:
    remedy = f"use one with the scope {what}" + (", which no agent has" if what in AGENTS_NEVER else "")
    return NotAllowed(f"this token may not {IN_WORDS[what]}", field="token", remedy=remedy)


def require(actor: Actor, what: str) -> None:
    """Refuse what `may` says no to. `what`: a key of MAY.

    Raises:
        NotAllowed: with the role or the scope that it takes.
    """
    if not may(actor, what):
        if actor.roles & MAY[what] or (actor.agent and what in AGENTS_NEVER):
            raise _beyond(what)
        needed = " or ".join(sorted(MAY[what]))
        raise NotAllowed(f"{actor.name} may not {IN_WORDS[what]}", field="role", remedy=f"ask for the role {needed}")
