"""The sagas that are started, by their shape."""

from __future__ import annotations

from typing import Any

from tools.chaos.peer import REFUSED


def definition(shape: str, name: str, peer: str) -> dict[str, Any]:
    """A saga whose steps make things at the peer below its own name, one after another, and take them away."""
    steps = {
        "plain": [_makes("a"), _makes("b"), _makes("c")],
        "gate": [_makes("a"), _makes("b") | {"approval": {"approvers": ["bob"]}}, _makes("c")],
        "timer": [_makes("a"), {"step_id": "pause", "forward_action": {"type": "wait", "seconds": 3}}, _makes("b")],
        "undo": [_makes("a"), _makes("b"), _makes(REFUSED)],
        "child": [_makes("a"), _child(name, peer), _makes("b")],
        "child-undo": [_makes("a"), _child(name, peer), _makes(REFUSED)],
    }[shape]
    return {"saga_id": f"chaos-{shape}", "steps": steps, "context": _context(name, peer)}


def _context(name: str, peer: str) -> dict[str, str]:
    return {"base": f"http://{peer}/{name}"}


def _makes(thing: str) -> dict[str, Any]:
    url = f"{{base}}/{thing}"
    return {
        "step_id": thing,
        "forward_action": {"type": "api_call", "method": "POST", "url": url},
        "compensation_action": {"type": "api_call", "method": "DELETE", "url": url},
        "timeout_seconds": 60,
    }


def _child(name: str, peer: str) -> dict[str, Any]:
    below = {"saga_id": "chaos-below", "steps": [_makes("x"), _makes("y")], "context": _context(name, peer)}
    return {"step_id": "kid", "forward_action": {"type": "saga", "definition": below}}
