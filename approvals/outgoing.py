"""Callbacks of a request: who wants to hear of it, and what they are told."""

from __future__ import annotations

from approvals.callbacks import endpoint_for
from approvals.models import Request
from orchestration.audit import Actor


def register(request: Request, url: str, actor: Actor) -> None:
    """Inside the transaction that opens the request."""
    endpoint_for(url, actor.name)
