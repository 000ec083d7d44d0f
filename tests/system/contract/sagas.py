"""Definitions for the contract suite, on a peer."""

from __future__ import annotations

from typing import Any

from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.models import Run
from orchestration.runs import start_run
from tests.support.peer import Peer

ADA = Actor(name="ada", door="python", roles=CONSOLE_ROLES)


def step(name: str, after: list[str] | None = None, *, undo: bool = True, **more: Any) -> dict[str, Any]:
    """A step that creates /things/NAME, and takes it away when undone."""
    made: dict[str, Any] = {
        "step_id": name,
        "forward_action": {"type": "api_call", "method": "POST", "url": f"{{base}}/things/{name}"},
        "backoff_seconds": 0.05,
    }
    if after is not None:
        made["dependencies"] = after
    if undo:
        made["compensation_action"] = {"type": "api_call", "method": "DELETE", "url": f"{{base}}/things/{name}"}
    return made | more


def start(peer: Peer, engine: str, *steps: dict[str, Any], **more: Any) -> Run:
    definition = {"saga_id": "contract", "steps": list(steps), "context": {"base": peer.url}, **more}
    run, _ = start_run(definition=definition, actor=ADA, engine=engine)
    return run
