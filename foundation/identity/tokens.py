"""Make and withdraw API tokens: each with its row in the audit, in the chain `tokens`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from foundation import audit
from foundation.db import statements
from foundation.errors import BadInput
from foundation.identity.actor import Actor
from foundation.models import ApiToken

CHAIN = "tokens"


def issue_token(
    user: Any, *, actor: Actor, name: str = "", expires_at: datetime | None = None, scopes: Iterable[str] = (),
    agent: bool = False, owner: Any = None,
) -> str:  # fmt: skip
    """Make a token; returns the token itself, which is shown once and never stored. Its prefix names it.

    `scopes`: keys of `permissions.MAY`; none are all that the user may. `expires_at`: aware; None is never. `agent`: of
    a program that acts by itself, which may never decide; `owner`: the account whose agent it is.

    Raises:
        BadInput: an unknown scope, or one that no agent may have.
    """
    with statements.writing():
        row, token = ApiToken.issue(user, name=name, expires_at=expires_at, scopes=scopes, agent=agent, owner=owner)
        audit.record(actor=actor, action="token.create", workflow_id=CHAIN, **_about(row))
    return token


def revoke_token(prefix: str, *, actor: Actor) -> None:
    """Withdraw a token; from now on it is not accepted.

    Raises:
        BadInput: there is none with that prefix.
    """
    with statements.writing():
        row = ApiToken.objects.filter(prefix=prefix).first()
        if row is None:
            raise BadInput(f"there is no token '{prefix}'", field="prefix")
        about = _about(row)
        row.delete()
        audit.record(actor=actor, action="token.revoke", workflow_id=CHAIN, **about)


def _about(row: ApiToken) -> dict[str, Any]:
    return {
        "prefix": row.prefix,
        "name": row.name,
        "user": row.user.get_username(),
        "user_id": row.user_id,
        "scopes": row.scopes,
        "agent": row.agent,
        "owner": row.owner.get_username() if row.owner else "",
        "owner_id": row.owner_id,
        "expires_at": row.expires_at.isoformat() if row.expires_at else "",
    }
