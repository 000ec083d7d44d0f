"""Make and withdraw API tokens: each with its row in the audit, in the chain `tokens`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from orchestration import audit, sql
from orchestration.audit import Actor
from orchestration.errors import BadInput
from orchestration.models import ApiToken

CHAIN = "tokens"


def issue_token(
    user: Any, *, actor: Actor, name: str = "", expires_at: datetime | None = None, scopes: Iterable[str] = (),
    agent: bool = False, owner: Any = None,
) -> str:  # fmt: skip
    """The token itself, which is shown once and never stored; its prefix names it. Raises BadInput."""
    with sql.writing():
        row, token = ApiToken.issue(user, name=name, expires_at=expires_at, scopes=scopes, agent=agent, owner=owner)
        audit.record(actor=actor, action="token.create", workflow_id=CHAIN, **_about(row))
    return token


def revoke_token(prefix: str, *, actor: Actor) -> None:
    """From now on it opens nothing. Raises BadInput when there is none."""
    with sql.writing():
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
