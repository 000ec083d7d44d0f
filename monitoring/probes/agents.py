"""Endpoints of agents that wait for a person, and what this machine lacks to keep their work."""

from __future__ import annotations

from collections.abc import Iterator

from foundation.clock import database_now
from monitoring.core.health import Issue
from monitoring.core.site import troubles
from monitoring.examine import Finding, State, own_connection
from monitoring.probes.findings import finding_of
from orchestration.agents.workspace import git
from orchestration.models import AgentEndpoint


def agent_out_of_service() -> Iterator[Issue]:
    """Enabled endpoints whose agent is signed out; one line for each."""
    rows = AgentEndpoint.objects.filter(enabled=True, out_since__isnull=False).order_by("out_since")
    for row in rows[: troubles.MOST_COUNTED]:
        text = f"the agent '{row.name}' ({row.agent_type}) gets no attempts: {row.health_error[:200]}"
        remedy = f"sign it in on the workers, then `manage.py agent check {row.name}`"
        since = row.out_since or database_now()
        yield troubles.found("agent_out_of_service", text, since, target=row.name, remedy=remedy)


@own_connection
def agents() -> Finding:
    """Endpoints that wait for a person; where there are any, also whether this machine has git."""
    found = finding_of(agent_out_of_service)()
    if git.is_installed() or not AgentEndpoint.objects.filter(enabled=True).exists():
        return found
    detail = "; ".join(filter(None, (found.detail, "git is not on the PATH of this machine")))
    remedy = "; ".join(filter(None, (found.remedy, "where workers perform projects: apt-get install git")))
    return Finding(state=State.WARNING, detail=detail, remedy=remedy)
