"""What an agent proposed in a request, and what became of it."""

from __future__ import annotations

from typing import Any

from approvals.core.enums import Status
from approvals.models import Request
from orchestration.models import Message

STAGE = "agent-act"
FACT = "agent_act"
"""The fact of a request that says what a yes does: {"verb", "workflow_id", "step_id", "answer"}."""


def message_id(request: Request) -> str:
    """The id of the act's message to its run, which has it done once."""
    return f"agent-act:{request.pk}"


def act_view(request: Request) -> dict[str, Any] | None:
    """The proposed act with its `state`, which is proposed, under way, done or not done, and `why` not.

    None for any other request.
    """
    act = request.facts.get(FACT)
    if act is None:
        return None
    state, why = _became(request)
    return {**act, "state": state, "why": why}


def _became(request: Request) -> tuple[str, str]:
    if not Status(request.status).is_end:
        return "proposed", ""
    if not request.spent_at:
        return "not done", request.words.removeprefix("not done: ") or f"it is {request.status}"
    message = Message.objects.filter(message_id=message_id(request)).first()
    if message is not None and message.refusal:
        return "not done", message.refusal
    return ("under way" if message is not None and message.delivered_at is None else "done"), ""
