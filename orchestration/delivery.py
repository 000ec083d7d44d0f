"""Hand a stored message to its run: through the engine, or to the flow that keeps its own state."""

from __future__ import annotations

from typing import Any

from orchestration.clock import now
from orchestration.engines.registry import ENGINES
from orchestration.flows import kept
from orchestration.messages import stored_once
from orchestration.models import Message, Run

WAKE: dict[str, Any] = {"kind": "wake"}
"""The event of a message that only says: ask this run again when it wants to be woken."""


def deliver(message: Message) -> str:
    """The run's refusal, or ''. Raises Unreachable when its engine is away; the message stays stored then."""
    run = message.run
    flow = kept(run.kind)
    if flow is None:
        return ENGINES[run.engine].deliver(message)
    why = "" if message.event == WAKE else flow.hear(run, message.event)
    if message.event == WAKE:
        ENGINES[run.engine].tend(run)
    Message.objects.filter(pk=message.pk).update(delivered_at=now(), refusal=why)
    return why


def wake(run: Run, *, number: int) -> Message:
    """Store that the engine has to ask this run anew; `number` is of the change that made it so."""
    return stored_once(run, WAKE, message_id=f"wake:{run.pk}:{number}")
