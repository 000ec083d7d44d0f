"""Find a request, for somebody who may see it."""

from __future__ import annotations

from approvals.models import Request
from orchestration import roles
from orchestration.audit import Actor
from orchestration.errors import NotFound


def get_request(request_id: str, *, actor: Actor) -> Request:
    """Who may see nothing is told nothing, not even whether it exists."""
    roles.require(actor, "view")
    return found_request(request_id)


def found_request(request_id: str) -> Request:
    found = Request.objects.select_related("run", "policy").filter(request_id=request_id).first()
    if found is None:
        raise _missing(request_id)
    return found


def only_content(request: Request) -> str:
    """Its hash, where nothing else was ever asked: in the first round, before anybody edits. '' where there was more.

    For doors that show nothing and get no `seen`: until then a yes to the request can be to nothing else.
    """
    return request.shown_hash if request.round == 1 and not request.edits else ""


def run_of(request_id: str) -> int:
    """The id of its run, for whoever locks and reads both next."""
    run: int | None = Request.objects.filter(request_id=request_id).values_list("run_id", flat=True).first()
    if run is None:
        raise _missing(request_id)
    return run


def _missing(request_id: str) -> NotFound:
    return NotFound(f"there is no approval '{request_id}'", field="request_id", remedy="see `manage.py approval list`")
