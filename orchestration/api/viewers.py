"""Who follows a run by a stream, and whether they still may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare

from foundation.clock import now
from foundation.errors import NotAllowed
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from foundation.models import ApiToken


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who follows, and by what: `token` is an id, `session` a key; one of them is set."""

    user: int
    token: int | None = None
    session: str = ""


def not_allowed(viewers: Iterable[Viewer]) -> frozenset[Viewer]:
    """Those whose token or session is over, or whose account may not look any more."""
    return frozenset(viewer for viewer in viewers if not _may(viewer))


def _may(viewer: Viewer) -> bool:
    if viewer.token is not None:
        token = ApiToken.objects.select_related("user", "owner").filter(pk=viewer.token).first()
        if token is None or (token.expires_at and token.expires_at <= now()):
            return False
        user: Any = token.user
        user.api_token = token
    else:
        user = get_user_model().objects.filter(pk=viewer.user).first()
        if user is None or not _is_signed_in(user, viewer.session):
            return False
    try:
        permissions.require(actor_of(user), "view")
    except NotAllowed:
        return False
    return bool(user.is_active)


def _is_signed_in(user: Any, key: str) -> bool:
    kept = SessionStore(key).load()
    same = str(kept.get(SESSION_KEY, "")) == str(user.pk)
    return same and constant_time_compare(str(kept.get(HASH_SESSION_KEY, "")), user.get_session_auth_hash())
