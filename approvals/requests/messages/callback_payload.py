"""The webhook of a request: which endpoint is called at its end, and the body."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse

from approvals.models import Request
from foundation.canonical_json import canonical
from foundation.identity.actor import Actor
from notifications.webhooks import call_back, endpoint_for
from notifications.webhooks.outbox import BELOW_BYTES

DECIDED = "approval.decided"
MOST_BYTES = BELOW_BYTES - 500
"""Of the data; the rest is for what stands around it."""

LONGEST_WORD = 300
"""As long as the columns are that it comes from, but for comments and edits."""


MOST_EDITS = 4000


class Room(NamedTuple):
    """How many characters of a comment, whether the edits, and how many votes."""

    comment: int
    edits: bool
    votes: int


ROOMS = (*(Room(comment, True, 10) for comment in (1000, 500, 200, 50)), Room(50, False, 10), Room(50, False, 0))
"""Tried in this order. The last one always fits: no character takes more than six bytes."""


def register(request: Request, url: str, actor: Actor) -> None:
    """Have this address called at the request's end. Inside the transaction that opens the request.

    Raises:
        BadInput: the address cannot be called.
    """
    request.endpoint = endpoint_for(url, actor.name, created_by=actor.name)
    request.save(update_fields=["endpoint"])


def secret_of(request: Request) -> dict[str, str]:
    """{"callback_secret": …} of an endpoint that this very call made, otherwise {}. It is not shown again."""
    secret = request.endpoint.shown_once if request.endpoint is not None else ""
    return {"callback_secret": secret} if secret else {}


def call(request: Request) -> None:
    """Store the webhook, inside the transaction of the request's end."""
    if request.endpoint is not None:
        call_back(endpoint=request.endpoint, subject=f"approval:{request.pk}", event_type=DECIDED, data=about(request))


def about(request: Request) -> dict[str, Any]:
    """The webhook's body. Small on purpose: the whole content is read from the API, at the address `whole`."""
    votes = request.votes.filter(round=request.round).order_by("id")[: ROOMS[0].votes + 1]
    told = {
        "request_id": request.request_id,
        "status": request.status,
        "words": request.words,
        "stage": request.stage,
        "title": request.title,
        "about": request.about or None,
        "content_hash": request.shown_hash,
        "edits": request.edits,
        "decided_by": request.decided_by or None,
        "decided_at": request.decided_at.isoformat() if request.decided_at else None,
        "votes": [{"name": vote.name, "decision": vote.choice, "comment": vote.comment} for vote in votes],
        "whole": f"{settings.ZEN_PUBLIC_URL}{reverse('api-approval', args=[request.request_id])}",
    }
    return fitting(told)


def fitting(told: dict[str, Any]) -> dict[str, Any]:
    """As much of the body as a webhook may carry.

    `cut` names what was shortened: comments first, then edits, then votes.

    It always fits, whatever people wrote: a webhook that was refused would keep the decision itself from being stored.
    """
    edits = told["edits"]
    small = len(canonical(edits)) <= MOST_EDITS
    for room in ROOMS:
        short = _within(told, room, edits=edits if not edits or (small and room.edits) else None)
        if _bytes(short) <= MOST_BYTES:
            break
    return short


def _within(told: dict[str, Any], room: Room, *, edits: dict[str, Any] | None) -> dict[str, Any]:
    votes = told["votes"][: room.votes]
    cut = {
        "comments": any(len(vote["comment"]) > room.comment for vote in votes),
        "edits": edits is None,
        "votes": len(votes) < len(told["votes"]),
    }
    return {
        **_in_words(told),
        "edits": edits,
        "votes": [{**_in_words(vote), "comment": _shortened(vote["comment"], room.comment)} for vote in votes],
        "whole": told["whole"],
        "cut": [name for name, is_cut in cut.items() if is_cut],
    }


def _in_words(told: dict[str, Any]) -> dict[str, Any]:
    return {name: _shortened(value, LONGEST_WORD) if isinstance(value, str) else value for name, value in told.items()}


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _bytes(data: dict[str, Any]) -> int:
    return len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())
