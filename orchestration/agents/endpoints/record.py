"""Audit rows of acts on endpoints. They belong to no run, so they have a chain of their own."""

from __future__ import annotations

from typing import Any

from foundation import audit
from foundation.identity.actor import Actor

CHAIN = "agents"


def record(*, actor: Actor, action: str, **data: Any) -> None:
    """Write an audit row in the chain `agents`, in the caller's transaction."""
    audit.record(actor=actor, action=action, workflow_id=CHAIN, **data)
