"""Ask and decide from Python: thin doors over the services, for code that runs in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from approvals import links, selectors
from approvals.content import content_hash
from approvals.core.words import Choice
from approvals.models import Request
from approvals.outgoing import secret_of
from approvals.people import account_of, person_of
from approvals.services import Ask, Evidence, ask, decide, remind, withdraw
from approvals.services.view import found_request, only_content
from orchestration import roles
from orchestration.errors import BadInput
from orchestration.sagas import PYTHON

LOOK_SECONDS = 0.5


async def request_human_approval(
    workflow_id: str,
    stage: str,
    description: str,
    context: Mapping[str, Any] | None = None,
    timeout_seconds: float | None = None,
    callback_url: str = "",
    **more: Any,
) -> dict[str, Any]:
    """Open a request about a workflow; asked again for the same stage and content it is the same one.

    Returns the request as the API shows it, with `approval_id`, `url` and, for a new callback address,
    `callback_secret`. `more`: policy, approvers, how_many, title, editable, author, agent_owner, engine, request_id.
    Raises BadInput, Unreachable.
    """
    if context is not None and not isinstance(context, Mapping):
        raise BadInput(f"context must be a mapping, not {type(context).__name__}", field="context")
    given = {"context": dict(context or {}), "timeout_seconds": timeout_seconds, "callback_url": callback_url, **more}
    return await sync_to_async(_ask)(workflow_id, stage, description, given)


async def submit_approval_decision(
    request_id: str,
    approver_id: str,
    decision: str,
    feedback: str = "",
    edits: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    seen: str = "",
) -> bool:
    """Decide as an account (its user name or e-mail address). True once it is heard.

    `seen`: the content_hash of what they looked at, as `get_approval` shows it. A yes without it is to the content of
    the first round, while that is all that was ever asked; once the request was resubmitted or edited, a yes needs it.

    Raises NotFound, NotAllowed, BadInput, WrongState (somebody was first, or it has changed since), Gone (too late).
    """
    await sync_to_async(_decide)(request_id, approver_id, decision, feedback, edits, answers, seen)
    return True


async def get_approval(request_id: str) -> dict[str, Any]:
    """The request as the API shows it. Raises NotFound."""
    return await sync_to_async(lambda: _view(found_request(request_id)))()


async def wait_for_approval(request_id: str, timeout_seconds: float = 50.0) -> dict[str, Any]:
    """The request once it has ended, or as it is after so many seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout_seconds
    while True:
        found = await get_approval(request_id)
        if found["status"] not in selectors.OPEN or loop.time() >= until:
            return found
        await asyncio.sleep(LOOK_SECONDS)


async def remind_approval(request_id: str) -> dict[str, Any]:
    """Have those reminded who owe an answer. Raises NotFound, WrongState, TooSoon (it says after how many seconds)."""
    return await sync_to_async(lambda: _view(remind(request_id=request_id, actor=PYTHON)))()


async def withdraw_approval(request_id: str, note: str = "") -> dict[str, Any]:
    """Take back what was asked; what waits for it is told no. Raises NotFound, WrongState."""
    return await sync_to_async(lambda: _view(withdraw(request_id=request_id, actor=PYTHON, note=note)))()


def _ask(workflow_id: str, stage: str, description: str, given: dict[str, Any]) -> dict[str, Any]:
    handle, engine = given.pop("request_id", ""), given.pop("engine", "")
    given["approvers"], given["editable"] = tuple(given.get("approvers", ())), tuple(given.get("editable", ()))
    asked = Ask(stage=stage, description=description, about=workflow_id, **given)
    handle = handle or _handle(workflow_id, stage, asked)
    found, _ = ask(given=asked, actor=PYTHON, request_id=handle, engine=engine)
    return _view(found) | secret_of(found)


def _handle(workflow_id: str, stage: str, asked: Ask) -> str:
    """One for each workflow, stage and content."""
    return f"{workflow_id[:100]}.{stage[:60]}.{content_hash(asked.content())[:12]}".replace(" ", "_")


def _decide(
    request_id: str,
    approver_id: str,
    decision: str,
    feedback: str,
    edits: Mapping[str, Any] | None,
    answers: Mapping[str, Any] | None,
    seen: str,
) -> Request:
    user, word = _account(approver_id), decision.replace("_", "-")
    if not seen and word == Choice.APPROVE:
        seen = only_content(found_request(request_id))
    return decide(
        request_id=request_id,
        actor=roles.actor_for(user, door="python"),
        person=person_of(user),
        choice=word,
        comment=feedback,
        edits=edits,
        answers=answers,
        seen=seen,
        evidence=Evidence(strength="process"),
    )


def _account(approver_id: str) -> Any:
    found = account_of(approver_id, get_user_model().objects.filter(is_active=True))
    if found is None:
        raise BadInput(
            f"there is no account '{approver_id}'", field="approver_id", remedy="a user name or e-mail address"
        )
    return found


def _view(request: Request) -> dict[str, Any]:
    found = Request.objects.select_related("run", "policy").get(pk=request.pk)
    more = {"approval_id": found.request_id, "url": links.page_of(found)}
    return selectors.request_view(found) | more
