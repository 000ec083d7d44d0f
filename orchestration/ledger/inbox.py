"""Store an event for a run once: one statement, where get_or_create needs a look, a savepoint and an insert."""

from __future__ import annotations

from typing import Any

from foundation.clock import now
from foundation.db import statements as sql
from orchestration.models import Message, Run


def store_once(run: Run, event: dict[str, Any], *, message_id: str) -> Message:
    """Store an event for a run; returns the message, or the one that has this id already.

    `event`: JSON of `core.saga.codec.EVENT`. One statement, where get_or_create takes three.
    """
    message = Message(run=run, message_id=message_id, event=event, created_at=now())
    statements = sql.insert(
        "orchestration_message",
        "run_id, message_id, event, created_at, refusal",
        [(run.pk, message_id, sql.as_json(event), sql.moment(message.created_at), "")],
        on_conflict="(message_id) DO NOTHING RETURNING id",
    )
    for (pk,) in sql.rows_of(*statements)[0]:
        message.pk = pk
        return message
    return Message.objects.get(message_id=message_id)
