"""Runs of one order in every state that the pages have to show."""

from __future__ import annotations

from typing import Any

from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, start_run
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, step

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


def completed(peer: Peer, name: str = "fine") -> Run:
    peer.behaviours.clear()
    return until(started(peer, name))


def rolled_back(peer: Peer, name: str = "lost") -> Run:
    peer.behave("/things/ship", 422)
    return until(started(peer, name))


def needing_attention(peer: Peer, name: str = "stuck") -> Run:
    """The undo of `charge` is refused, once."""
    peer.behave("/things/ship", 422)
    peer.behave("/things/charge", 200, 403)
    return until(started(peer, name))


def waiting(peer: Peer, name: str = "waits") -> Run:
    slow = {"step_id": "cool", "dependencies": ["charge"], "forward_action": {"type": "wait", "seconds": 3600}}
    run = started(peer, name, STEPS[0], STEPS[1], slow, step("ship", ["cool"]))
    return until(run, lambda found: found.status == "waiting")


def held(peer: Peer, name: str = "held") -> Run:
    return act(workflow_id=waiting(peer, name).workflow_id, verb=Verb.HOLD, actor=ADA)


def blocked(peer: Peer, name: str = "blocked") -> Run:
    """A failure after the pivot: nothing is undone, a person decides."""
    peer.behave("/things/ship", 422)
    return until(started(peer, name, STEPS[0], step("charge", ["reserve"], pivot=True), step("ship", ["charge"])))
