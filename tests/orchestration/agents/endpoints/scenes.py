"""Endpoints, and runs whose attempts want one."""

from __future__ import annotations

from typing import Any

from foundation.clock import now
from foundation.identity.actor import Actor
from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.lease import Attempt
from orchestration.agents.endpoints.services import add
from orchestration.core.agent.session import Health
from orchestration.models import AgentEndpoint, Run
from orchestration.runs import start_run

ADMIN = Actor(name="ada", door="console", roles=frozenset({"administrator"}))
OPERATOR = Actor(name="otto", door="api", roles=frozenset({"operator"}))
WELL = Health(installed=True, version="1.2.3", signed_in=True)


def added(name: str = "one", **fields: Any) -> AgentEndpoint:
    """An endpoint that was checked a moment ago, scripted unless `fields` say otherwise."""
    given = Given(**{"name": name, "agent_type": "CLAUDE", "driver": "scripted"} | fields)
    row = add(given, actor=ADMIN)
    AgentEndpoint.objects.filter(pk=row.pk).update(health=AgentEndpoint.HEALTHY, health_at=now())
    row.refresh_from_db()
    return row


def run(name: str = "r") -> Run:
    steps = [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]
    return start_run(definition={"saga_id": "s", "steps": steps}, actor=ADMIN, workflow_id=name, engine="celery")[0]


def attempt(of: Run, step_id: str = "a", *, number: int = 1, claim: int = 1) -> Attempt:
    return Attempt(run_id=of.pk, step_id=step_id, iteration=1, attempt=number, claim=claim)
