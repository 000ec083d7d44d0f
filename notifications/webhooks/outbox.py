"""Stores callbacks, and resends or cancels them."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Max

from foundation import audit
from foundation.canonical_json import moment
from foundation.clock import database_now
from foundation.db import statements
from foundation.db.advisory_lock import lock_by_name
from foundation.errors import BadInput, NotFound, WrongState
from foundation.identity import permissions
from foundation.identity.actor import Actor
from foundation.outbox.outcome import send_again
from notifications.models import Callback, Endpoint
from notifications.webhooks.endpoints import chain_of

BELOW_BYTES = 20_000
EPOCH, MICROSECOND = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)
EVENT_TYPE = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")


def call_back(*, endpoint: Endpoint, subject: str, event_type: str, data: dict[str, Any]) -> Callback:
    """Store a callback in the caller's transaction; after the commit it is sent until it is delivered or dead.

    `endpoint`: of `endpoint_for`. `subject`: what it is about, such as approval:17, at most 200 characters.
    `event_type`: such as approval.decided. `data`: JSON; with its envelope less than BELOW_BYTES.

    Callbacks about a subject have rising numbers, which come from the clock: none is given twice, not even after the
    database was put back to an older state.

    Raises:
        BadInput: one of these cannot be sent; nothing is stored then.
    """
    _check(subject, event_type)
    if connection.in_atomic_block:
        return _stored(endpoint, subject, event_type, data)
    with statements.writing():
        return _stored(endpoint, subject, event_type, data)


def _stored(endpoint: Endpoint, subject: str, event_type: str, data: dict[str, Any]) -> Callback:
    statements.rows_of(*lock_by_name(f"callbacks:{subject}"))
    at = database_now()
    last = Callback.objects.filter(subject=subject).aggregate(last=Max("sequence"))["last"] or 0
    sequence = max(last + 1, (at - EPOCH) // MICROSECOND)
    content = {"type": event_type, "timestamp": moment(at), "subject": subject, "sequence": sequence, "data": data}
    return Callback.objects.create(
        endpoint=endpoint,
        webhook_id=f"msg_{uuid.uuid4().hex}",
        event_type=event_type,
        subject=subject,
        sequence=sequence,
        payload=_payload(content),
        due_at=at,
    )


def _payload(content: dict[str, Any]) -> str:
    try:
        text = json.dumps(content, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"the data cannot be sent as JSON: {error}", field="data") from None
    if size >= BELOW_BYTES:
        raise BadInput(
            f"the payload has {size:,} bytes, and a callback carries less than {BELOW_BYTES:,}",
            field="data",
            remedy="send an id, and let the receiver ask for the rest",
        )
    return text


def _check(subject: str, event_type: str) -> None:
    if not subject or len(subject) > 200:
        raise BadInput(f"the subject {subject[:60]!r} is not usable", field="subject", remedy="such as approval:17")
    if len(event_type) > 100 or not EVENT_TYPE.fullmatch(event_type):
        remedy = "letters, digits and _ in parts between dots, such as approval.decided"
        raise BadInput(f"the event type {event_type[:60]!r} is not usable", field="event_type", remedy=remedy)


def redeliver(callback: Callback, *, actor: Actor) -> Callback:
    """Queue `callback` as if it had not been tried, under the same webhook-id, also one that was delivered or is dead.

    Raises:
        NotAllowed: `actor` may not act on callbacks.
        NotFound: the callback was deleted.
        WrongState: its endpoint is disabled.
    """
    permissions.require(actor, "callback.act")
    with transaction.atomic():
        row = _locked(callback)
        if row.endpoint.disabled_at is not None:
            raise WrongState("its endpoint is disabled", field="callback", remedy="enable the endpoint first")
        was = row.status
        send_again(row, delivered_at=None)
        _audited(actor, "callback.redeliver", row, was=was)
    return row


def cancel(callback: Callback, *, actor: Actor, note: str = "") -> Callback:
    """Send `callback` no more. `note`: why, for the audit.

    Raises:
        NotAllowed: `actor` may not act on callbacks.
        NotFound: the callback was deleted.
        WrongState: it is not queued.
    """
    permissions.require(actor, "callback.act")
    with transaction.atomic():
        row = _locked(callback)
        if row.status != Callback.QUEUED:
            raise WrongState(f"the callback is {row.status}; only a queued one can be cancelled", field="callback")
        row.status = Callback.CANCELLED
        row.save(update_fields=["status"])
        _audited(actor, "callback.cancel", row, note=note)
    return row


def _locked(callback: Callback) -> Callback:
    rows = Callback.objects.select_for_update(of=("self",)).select_related("endpoint")
    row = rows.filter(pk=callback.pk).first()
    if row is None:
        raise NotFound(f"there is no callback {callback.pk}", field="callback")
    if row.status == Callback.SENDING:
        raise WrongState("the callback is being sent", field="callback", remedy="try again in a minute")
    return row


def _audited(actor: Actor, action: str, row: Callback, *, note: str = "", was: str = "") -> None:
    about = {"webhook_id": row.webhook_id, "subject": row.subject, "was": was}
    audit.record(actor=actor, action=action, workflow_id=chain_of(row.endpoint), note=note, **about)
