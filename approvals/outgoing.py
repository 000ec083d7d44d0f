"""Callbacks of a request: who wants to hear of it, and what they are told."""

from __future__ import annotations

from typing import Any

from approvals.callbacks import call_back, endpoint_for
from approvals.models import Request
from orchestration.audit import Actor
from orchestration.audit_chain.canonical import canonical

DECIDED = "approval.decided"
LONGEST_COMMENT = 1000
MOST_VOTES = 10
MOST_EDITS = 4000


def register(request: Request, url: str, actor: Actor) -> None:
    """Inside the transaction that opens the request."""
    request.endpoint = endpoint_for(url, actor.name, created_by=actor.name)
    request.save(update_fields=["endpoint"])


def secret_of(request: Request) -> dict[str, str]:
    """The secret of an endpoint that this very call made, for whoever asked; nobody can ask for it later."""
    secret = request.endpoint.shown_once if request.endpoint is not None else ""
    return {"callback_secret": secret} if secret else {}


def call(request: Request) -> None:
    """Inside the transaction of its end."""
    if request.endpoint is not None:
        call_back(endpoint=request.endpoint, subject=f"approval:{request.pk}", event_type=DECIDED, data=about(request))


def about(request: Request) -> dict[str, Any]:
    """Small on purpose: whoever wants the content reads it through the API. `edits`: null when they are too large."""
    edits: dict[str, Any] | None = request.edits
    if len(canonical(edits)) > MOST_EDITS:
        edits = None
    votes = request.votes.filter(round=request.round).order_by("id")[:MOST_VOTES]
    return {
        "request_id": request.request_id,
        "status": request.status,
        "words": request.words,
        "stage": request.stage,
        "title": request.title,
        "about": request.about or None,
        "content_hash": request.shown_hash,
        "edits": edits,
        "decided_by": request.decided_by or None,
        "decided_at": request.decided_at.isoformat() if request.decided_at else None,
        "votes": [
            {"name": vote.name, "decision": vote.choice, "comment": vote.comment[:LONGEST_COMMENT]} for vote in votes
        ],
    }
