"""Find a request by its id."""

from __future__ import annotations

from approvals.models import Request
from foundation.errors import NotFound
from foundation.identity import permissions
from foundation.identity.actor import Actor


def get_request(request_id: str, *, actor: Actor) -> Request:
    """The request, for an actor who may see it. Who may see nothing is not told whether it exists.

    Raises:
        NotAllowed: the actor has no role.
        NotFound: there is no such request.
    """
    permissions.require(actor, "view")
    return found_request(request_id)


def found_request(request_id: str) -> Request:
    """The request with its run and policy. Raises NotFound."""
    found = Request.objects.select_related("run", "policy").filter(request_id=request_id).first()
    if found is None:
        raise _missing(request_id)
    return found


def only_content(request: Request) -> str:
    """The hash of its content, if there was only one: in the first round, before any edit. '' otherwise.

    For doors that show nothing and so get no `seen`: a yes can mean nothing else then.
    """
    return request.shown_hash if request.round == 1 and not request.edits else ""


def run_of(request_id: str) -> int:
    """The id of its run, for a caller that locks and reads both next. Raises NotFound."""
    run: int | None = Request.objects.filter(request_id=request_id).values_list("run_id", flat=True).first()
    if run is None:
        raise _missing(request_id)
    return run


def _missing(request_id: str) -> NotFound:
    return NotFound(f"there is no approval '{request_id}'", field="request_id", remedy="see `manage.py approval list`")
