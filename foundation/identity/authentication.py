"""Bearer tokens, and the actor behind a request."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated

from foundation.api.limits import note_guess, refuse_guesses
from foundation.clock import now
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.models import ApiToken
from foundation.models.token import START, digest_of

USED_EVERY = timedelta(minutes=1)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer zen_<prefix>_<secret>`, made by `manage.py token create USER`."""

    def authenticate(self, request: Any) -> tuple[Any, ApiToken] | None:
        """The user and the token; None without a Bearer header, so that the session is tried.

        Raises:
            AuthenticationFailed: the token is unknown, has expired, or its user is not active.
            Throttled: this address has sent too many wrong tokens.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        refuse_guesses(request)
        token = _known(words[1].decode("latin-1")) if len(words) == 2 else None
        if token is None or not token.user.is_active:
            note_guess(request)
            raise AuthenticationFailed("the token is not valid or has expired")
        moment = now()
        if token.last_used_at is None or moment - token.last_used_at > USED_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=moment)
        token.user.api_token = token  # type: ignore[attr-defined]  # what `actor_of` asks for
        return token.user, token

    def authenticate_header(self, request: Any) -> str:
        """What a 401 says in `WWW-Authenticate`."""
        return 'Bearer realm="zen"'


def _known(text: str) -> ApiToken | None:
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != START or not parts[1].isalnum() or not parts[1].isascii():
        return None
    token = ApiToken.objects.select_related("user", "owner").filter(prefix=parts[1]).first()
    if token is None or not hmac.compare_digest(token.digest, digest_of(parts[2])):
        return None
    return None if token.expires_at and token.expires_at <= now() else token


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The scheme `bearer` in the OpenAPI document."""

    target_class = "foundation.identity.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """drf-spectacular's hook."""
        return {"type": "http", "scheme": "bearer"}


def actor_of(user: Any, *, door: str = "api") -> Actor:
    """The actor of an authenticated user: its roles, and the scopes and owner of the token, where it came with one."""
    token: ApiToken | None = getattr(user, "api_token", None)
    scopes = token.allowed() if token is not None else None
    owner = token.owner if token is not None else None
    return Actor(
        name=user.get_username(), door=door, roles=permissions.roles_of(user), scopes=scopes, user_id=user.pk,
        owner=owner.get_username() if owner is not None else "", owner_id=owner.pk if owner is not None else None,
        agent=token is not None and token.agent,
    )  # fmt: skip


class MayView(IsAuthenticated):
    """Signed in, and in some role; the services ask for more where a verb needs it."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """REST framework's hook. Raises NotAllowed for an account without any role."""
        if not super().has_permission(request, view):
            return False
        permissions.require(actor_of(request.user), "view")
        return True
