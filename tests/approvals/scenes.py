"""People and policies of the approvals' tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from approvals.core.approval.events import ClockReached
from approvals.models import Request
from approvals.requests import Ask, ask, publish_policy
from approvals.requests.state.locked_request import lock_request
from foundation.db import statements
from foundation.identity.actor import CONSOLE_ROLES, Actor

ADA = Actor(name="ada", door="python", roles=CONSOLE_ROLES)
TWO_STAGES: dict[str, Any] = {
    "policy": "deployment",
    "stages": [
        {
            "name": "peers",
            "who": {"users": ["bob", "carol"]},
            "remind": ["4h"],
            "escalate": [{"after": "1d", "to": {"users": ["dora"]}, "authority": "add"}],
            "expire": "3d",
        },
        {"name": "leads", "who": {"groups": ["leads"]}, "expire": "2d"},
    ],
    "hours": {"zone": "Europe/Berlin"},
}


def published(body: dict[str, Any]) -> None:
    publish_policy(data=body, actor=ADA)


def asked(stage: str = "deployment", *, actor: Actor = ADA, request_id: str = "", **more: Any) -> Request:
    request, _ = ask(given=Ask(stage=stage, **more), actor=actor, request_id=request_id, engine="celery")
    return request


def rung(run_pk: int, at: datetime) -> None:
    """Its clocks at a time that may be long past."""
    with statements.writing():
        lock_request(run_pk).apply(ClockReached(at=at))
