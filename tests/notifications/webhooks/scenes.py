"""An endpoint at a receiver, and callbacks to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from foundation.clock import now
from foundation.identity.actor import Actor
from notifications.models import Callback, Endpoint
from notifications.webhooks import call_back, deliver_due, endpoint_for
from tests.support.peer import Peer

ADMIN = Actor(name="ada", door="api", roles=frozenset({"administrator"}))
OPERATOR = Actor(name="otto", door="api", roles=frozenset({"operator"}))
VIEWER = Actor(name="vera", door="api", roles=frozenset({"viewer"}))
PATH = "/hook"


def endpoint_at(receiver: Peer, path: str = PATH, owner: str = "shop", **options: Any) -> Endpoint:
    return endpoint_for(receiver.url + path, owner, **options)


def queued(endpoint: Endpoint, subject: str = "approval:17", **data: Any) -> Callback:
    return call_back(endpoint=endpoint, subject=subject, event_type="approval.decided", data=data or {"ok": True})


def due_now(callback: Callback) -> None:
    """As if the time until the next attempt had passed."""
    Callback.objects.filter(pk=callback.pk).update(due_at=now() - timedelta(seconds=1))


def attempted(callback: Callback) -> Callback:
    """The callback after one attempt that is due now."""
    due_now(callback)
    assert deliver_due() == 1
    callback.refresh_from_db()
    return callback
