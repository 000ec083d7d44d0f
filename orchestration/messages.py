"""Store an event for a run once: one statement, where get_or_create needs a look, a savepoint and an insert."""

from __future__ import annotations

from typing import Any

from orchestration import sql
from orchestration.clock import now
from orchestration.models import Message, Run


def stored_once(run: Run, event: dict[str, Any], *, message_id: str) -> Message:
    """The message; the one that is there already, when its id was used before."""
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
