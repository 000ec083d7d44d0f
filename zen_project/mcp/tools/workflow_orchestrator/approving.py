"""Approvals by the orchestrator: ask, decide, list, show."""

from __future__ import annotations

from typing import Any

from approvals.core.enums import Status
from approvals.policies.principals import account_of
from approvals.requests import get_request
from approvals.requests.lookup import only_content
from foundation.errors import BadInput, NotAllowed
from foundation.identity.names import same_address
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer
from zen_project.mcp.tools import approvals
from zen_project.mcp.tools.workflow_orchestrator.arguments import Call


def approval(caller: Caller, call: Call) -> Answer:
    """The request after what was done to it; of a list its rows."""
    match call.action:
        case "request":
            return _request(caller, call)
        case "list":
            return _list(caller, call)
        case "show":
            return approvals.get_approval(caller, approvals.OfRequest(request_id=call.approval_id))
        case _:
            return _decide(caller, call)


def _request(caller: Caller, call: Call) -> Answer:
    said = {
        name: value for name in ("stage", "description", "context", "workflow_id") if (value := getattr(call, name))
    }
    given = {**(call.config or {}), **said} | ({"request_id": call.approval_id} if call.approval_id else {})
    return approvals.request_approval(caller, approvals.Asked.read(given))


def _list(caller: Caller, call: Call) -> Answer:
    asked = approvals.Which(
        about=call.workflow_id, stage=call.stage, status=call.statuses, limit=call.limit, cursor=call.cursor
    )
    found = approvals.list_approvals(caller, asked)
    rows = [row | {"approval_id": row["request_id"]} for row in found["results"]]
    return {"approvals": rows, "next_cursor": found["next_cursor"]}


def _decide(caller: Caller, call: Call) -> Answer:
    """A yes without `seen` can only mean the one content that there ever was."""
    caller.person()
    _refuse_another(caller, call.approver_id)
    yes = call.action == "approve"
    request = get_request(call.approval_id, actor=caller.actor)
    seen = only_content(request) if yes else ""
    if yes and not seen and not Status(request.status).is_end:
        raise BadInput(
            "what is asked has changed since the first round, so a yes has to name the content it is for", field="seen",
            remedy="look at it with action show, then call decide_approval with its content_hash as seen",
        )  # fmt: skip
    decided = approvals.Decided(
        request_id=call.approval_id, decision=str(call.action), comment=call.feedback, seen=seen
    )
    return approvals.decide_approval(caller, decided)


def _refuse_another(caller: Caller, approver_id: str) -> None:
    """Refuse an approver who is not the person of the token: nobody decides in another's name."""
    if approver_id and not _is(caller.user, approver_id):
        raise NotAllowed(
            f"approver_id '{approver_id[:100]}' is not whose token this is", field="approver_id",
            value=approver_id[:100], remedy="leave it out, or use a token of that person's own",
        )  # fmt: skip


def _is(user: Any, name: str) -> bool:
    found = account_of(name)
    if found is not None and found.pk == user.pk:
        return True
    if "@" in name and user.email:
        return same_address(name) == same_address(user.email)
    return found is None and name.casefold() == str(user.get_username()).casefold()
