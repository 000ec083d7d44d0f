"""Tools that tell how runs and the site do."""

from __future__ import annotations

from typing import Any

from monitoring import dashboard as site
from monitoring.api.serializers import Dashboard, HealthCheckOut
from monitoring.health_check import check_health
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import answer
from zen_project.mcp.tools.fields import Nothing, OfRun


def health(caller: Caller, given: OfRun) -> Answer:
    """How a run does, judged now: what is wrong, since when, and what to do."""
    return check_health(given.workflow_id, caller.actor).as_json()


def dashboard(caller: Caller, given: Nothing) -> Answer:
    """The whole site in figures: runs by status, alerts, workers, recoveries."""
    return site.dashboard()


ENTRIES: tuple[Entry[Any], ...] = (
    Entry(
        name="health", title="Health of a run", arguments=OfRun, answers=answer(HealthCheckOut), do=health, reads=True,
    ),
    Entry(
        name="dashboard", title="Dashboard", arguments=Nothing, answers=answer(Dashboard), do=dashboard, reads=True,
    ),
)  # fmt: skip
