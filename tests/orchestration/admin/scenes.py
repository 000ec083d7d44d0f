"""Runs of one order in every state that the pages have to show."""

from __future__ import annotations

from typing import Any

from orchestration.models import Run
from orchestration.services import start_run
from tests.contract.hosts import until
from tests.contract.sagas import ADA, step
from tests.peer import Peer

STEPS = [
    step("reserve", []),
    step("charge", ["reserve"]),
    step("label", ["reserve"]),
    step("ship", ["charge", "label"]),
    step("notify", ["ship"], undo=False, critical=False),
]


def order(peer: Peer, *steps: dict[str, Any]) -> dict[str, Any]:
    return {
        "saga_id": "order",
        "name": "An order through three services",
        "context": {"base": peer.url},
        "steps": list(steps or STEPS),
    }


def started(peer: Peer, name: str, *steps: dict[str, Any]) -> Run:
    run, _ = start_run(definition=order(peer, *steps), actor=ADA, engine="celery", workflow_id=f"order-{name}")
    return run


def completed(peer: Peer) -> Run:
    return until(started(peer, "fine"))


def rolled_back(peer: Peer) -> Run:
    peer.behave("/things/ship", 422)
    return until(started(peer, "lost"))


def needing_attention(peer: Peer) -> Run:
    """The undo of `charge` is refused, once."""
    peer.behave("/things/ship", 422)
    peer.behave("/things/charge", 200, 403)
    return until(started(peer, "stuck"))


def waiting(peer: Peer) -> Run:
    slow = {"step_id": "cool", "dependencies": ["charge"], "forward_action": {"type": "wait", "seconds": 3600}}
    after = step("ship", ["cool"])
    run = started(peer, "waits", STEPS[0], STEPS[1], slow, after)
    return until(run, lambda found: found.status == "waiting")
