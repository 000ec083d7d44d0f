"""Hand a stored message to its run: through the engine, or to the flow that keeps its own state."""

from __future__ import annotations

from typing import Any

from foundation.clock import now
from orchestration.engines.registry import ENGINES
from orchestration.ledger.inbox import store_once
from orchestration.models import Message, Run
from orchestration.ports import kept

WAKE: dict[str, Any] = {"kind": "wake"}
"""The event of a message that only says: ask this run again when it wants to be woken."""


def deliver(message: Message) -> str:
    """Hand a message to its run; returns the run's refusal in words, or ''.

    Raises:
        Unreachable: the run's engine is away; the message stays stored, and the relay tries again.
    """
    run = message.run
    flow = kept(run.kind)
    if flow is None:
        return ENGINES[run.engine].deliver(message)
    why = "" if message.event == WAKE else flow.on_message(run, message.event)
    if message.event == WAKE:
        ENGINES[run.engine].tend(run)
    Message.objects.filter(pk=message.pk).update(delivered_at=now(), refusal=why)
    return why


def wake(run: Run, *, number: int) -> Message:
    """Store a message that makes the engine ask this run when it wants to be woken.

    `number`: the version that it changed to.
    """
    return store_once(run, WAKE, message_id=f"wake:{run.pk}:{number}")
