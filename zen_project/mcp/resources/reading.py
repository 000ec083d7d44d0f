"""What stands at a resource's address, for a caller."""

from __future__ import annotations

from collections.abc import Callable

from approvals.requests import get_request
from foundation.errors import NotFound
from orchestration.api.serializers import DefinitionFull
from orchestration.projects.queries import get_project
from orchestration.runs import get_run, queries
from orchestration.runs.definitions import published
from zen_project.mcp.bounds import bounded, fitting
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer
from zen_project.mcp.resources.uris import Kind, Place, place_at
from zen_project.mcp.tools.approvals import request_answer
from zen_project.mcp.tools.projects import project_answer
from zen_project.mcp.tools.runs import run_answer

LATEST_EVENTS = 100


def read(caller: Caller, uri: str) -> Answer:
    """What stands at this address, bounded.

    Raises:
        NotFound: nothing does.
    """
    place = place_at(uri)
    if place is None:
        raise NotFound(f"there is no resource '{uri[:200]}'", field="uri", remedy="see resources/templates/list")
    return READ[place.kind](caller, place)


def _run(caller: Caller, place: Place) -> Answer:
    return bounded(run_answer(get_run(place.ident), caller))


def _events(caller: Caller, place: Place) -> Answer:
    run = get_run(place.ident)
    rows = list(run.events.order_by("-seq")[: LATEST_EVENTS + 1])

    def of(limit: int) -> Answer:
        latest = rows[:limit][::-1]
        shown = [queries.event_view(row) for row in latest]
        return {"workflow_id": run.workflow_id, "results": shown, "earlier": len(rows) > limit}

    return fitting(of, LATEST_EVENTS)


def _approval(caller: Caller, place: Place) -> Answer:
    return bounded(request_answer(get_request(place.ident, actor=caller.actor), caller))


def _project(caller: Caller, place: Place) -> Answer:
    return bounded(project_answer(get_project(place.ident), caller))


def _definition(caller: Caller, place: Place) -> Answer:
    stored = published(place.ident).first()
    if stored is None:
        raise NotFound(f"there is no definition '{place.ident[:200]}'", field="saga_id", remedy="publish it first")
    return bounded(DefinitionFull(stored).data)


READ: dict[Kind, Callable[[Caller, Place], Answer]] = {
    "run": _run,
    "events": _events,
    "approval": _approval,
    "project": _project,
    "definition": _definition,
}
