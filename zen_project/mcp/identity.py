"""Who calls: the account of an API token, at each call anew; over stdio without a token, this machine's console."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from pydantic import Field
from rest_framework.exceptions import AuthenticationFailed, Throttled

from approvals.policies.principals import Person, person_of
from foundation.console.exit_codes import actor as console_actor
from foundation.errors import NotAllowed
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.identity.authentication import BearerAuthentication, actor_of
from foundation.identity.permissions import actor_for
from foundation.models import ApiToken
from foundation.models.token import SCOPES
from orchestration.api.viewers import Viewer, not_allowed
from zen_project.mcp.threads import in_thread

DOOR = "mcp"


@dataclass(slots=True, kw_only=True)
class Connection:
    """What a connection says of itself, where limits, tokens and the evidence of a vote look for it in a request."""

    META: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    auth: ApiToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls. `user`, `token`: the account and the API token; None at a console that was given none.

    `strength`: how the account is known, for the evidence of a vote; '' is by its token.
    """

    actor: Actor
    connection: Connection
    user: Any = None
    token: ApiToken | None = None
    strength: str = ""

    @property
    def is_agent(self) -> bool:
        """Whether a program calls that acts by itself: it proposes, and decides nothing."""
        return self.actor.agent

    def person(self) -> Person:
        """The person behind the call.

        Raises:
            NotAllowed: it comes from a console, which has the rights of an administrator and is nobody.
        """
        if self.user is None:
            raise NotAllowed(
                "this console has no person, and only a person decides", field="approver_id",
                remedy="set ZEN_MCP_TOKEN to an API token of theirs",
            )  # fmt: skip
        return person_of(self.user)


class HeldToken(AccessToken):
    """The SDK's token, with the caller whom it stands for. It never holds the secret."""

    caller: Any = Field(exclude=True, repr=False)


CONNECTION: ContextVar[Connection] = ContextVar("zen_mcp_connection")
"""Of the HTTP request at hand; set by `http`."""


class SiteTokens(TokenVerifier):
    """The API tokens of this site, as bearer."""

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token's caller; None if it is unknown or expired, or its user is not active."""
        connection = CONNECTION.get(Connection())
        try:
            caller = await in_thread(lambda: with_token(token, connection))
        except (AuthenticationFailed, Throttled):
            return None
        return _held(caller, caller.token) if caller.token is not None else None


def _held(caller: Caller, token: ApiToken) -> HeldToken:
    return HeldToken(
        token=token.prefix,
        client_id=f"token:{token.pk}",
        scopes=sorted(caller.actor.scopes if caller.actor.scopes is not None else SCOPES),
        expires_at=int(token.expires_at.timestamp()) if token.expires_at else None,
        subject=f"user:{token.user_id}",
        caller=caller,
    )


def with_token(text: str, connection: Connection) -> Caller:
    """The caller of a token's text.

    Raises:
        AuthenticationFailed: it is unknown or expired, or its user is not active.
        Throttled: too many wrong ones came from there.
    """
    said = Connection(META=connection.META, headers={"authorization": f"Bearer {text}"})
    found = BearerAuthentication().authenticate(said)
    if found is None:
        raise AuthenticationFailed
    user, token = found
    kept = Connection(META=connection.META, auth=token)
    return Caller(actor=actor_of(user, door=DOOR), user=user, token=token, connection=kept)


def caller_now() -> Caller:
    """Whoever makes the call at hand.

    Raises:
        NotAllowed: ZEN_MCP_TOKEN is not good any more, or its account has no role.
    """
    held = get_access_token()
    caller = held.caller if isinstance(held, HeldToken) else _at_the_console()
    permissions.require(caller.actor, "view")
    return caller


def token_now() -> ApiToken | None:
    """The API token of the request at hand; None at a console without a good one."""
    held = get_access_token()
    if isinstance(held, HeldToken):
        token: ApiToken | None = held.caller.token
        return token
    with suppress(NotAllowed):
        return _at_the_console().token
    return None


def may_look(caller: Caller) -> bool:
    """Whether a caller who follows something may still look: their token is good, and their account has a role."""
    if caller.token is None:
        return permissions.may(caller.actor, "view")
    return not not_allowed([Viewer(caller.token.user_id, caller.token.pk)])


def _at_the_console() -> Caller:
    if not settings.ZEN_MCP_TOKEN:
        console = console_actor()
        actor = Actor(name=console.name, door=DOOR, roles=console.roles)
        return Caller(actor=actor, connection=Connection())
    return of_token(settings.ZEN_MCP_TOKEN, remedy="set ZEN_MCP_TOKEN to one of `manage.py token create USER`")


def of_token(text: str, *, remedy: str) -> Caller:
    """The caller of a token that no request has brought. `remedy`: where a good one has to be given.

    Raises:
        NotAllowed: it is unknown or expired, or its user is not active.
    """
    try:
        return with_token(text, Connection())
    except (AuthenticationFailed, Throttled) as error:
        raise NotAllowed(str(error.detail), field="token", remedy=remedy) from None


def of_account(user: Any) -> Caller:
    """The caller for an account, which code of this site vouches for; its roles are read anew."""
    found = get_user_model().objects.get(pk=user.pk)
    return Caller(actor=actor_for(found, door=DOOR), user=found, connection=Connection(), strength="process")
