"""The public functions by which Python code asks for approval and decides.

All are coroutines; database work runs in a thread (`sync_to_async`). Requests are asked in the name of `python`, an
administrator without an account (`orchestration.sagas.PYTHON`); decisions are an account's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from approvals.core.content import content_hash
from approvals.core.enums import OPEN, Choice
from approvals.models import Request
from approvals.policies.principals import account_of, person_of
from approvals.queries.view import request_view
from approvals.requests import Ask, Evidence, ask, decide, remind, withdraw
from approvals.requests.lookup import found_request, only_content
from approvals.requests.messages import links
from approvals.requests.messages.callback_payload import secret_of
from foundation.errors import BadInput
from foundation.identity import permissions
from orchestration.sagas import PYTHON

__all__ = [
    "get_approval",
    "remind_approval",
    "request_human_approval",
    "submit_approval_decision",
    "wait_for_approval",
    "withdraw_approval",
]

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
    """Open a request about a workflow. Asked again for the same workflow, stage and content it is the same request.

    Returns the request as the API shows it, with `approval_id`, `url` and, for a new callback address,
    `callback_secret`, which is shown this once.

    `workflow_id`: what it is about. `stage`: a word of at most 100 characters; it chooses the policy where `policy`
    does not. `description`: what is asked, as Markdown. `context`: JSON that is shown to those who decide.
    `timeout_seconds`: until it expires; it can only shorten what the policy says. `callback_url`: called once with the
    outcome (docs/howto/callbacks.md). `more`: policy, approvers (user names, addresses, `group:…`), how_many, title,
    editable (paths), author, agent_owner, engine, request_id.

    Raises:
        BadInput: an unknown policy or person, a policy that nobody could pass, content that cannot be stored or holds a
            secret reference, or a `request_id` that is used with other content.
        Unreachable: an engine that was asked for by name is away.
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
    """Decide as an account. True once the decision is stored.

    `request_id`: of the request. `approver_id`: the account's user name or e-mail address. `decision`: approve, reject,
    request-changes or abstain. `feedback`: the comment. `edits`: {path: value}, with approve. `answers`: {field: value}
    of the stage's form. `seen`: the `content_hash` of what the person looked at, as `get_approval` shows it. A yes
    without it is accepted in the first round while nothing was edited, since there was only one content to see.

    Raises:
        NotFound: there is no such request.
        NotAllowed: this account does not decide here.
        BadInput: no such account or decision; a comment, answer or `seen` is missing; edits that are not allowed.
        WrongState: the request was decided by then, or has changed since it was seen.
        Gone: the time to decide is over.
    """
    await sync_to_async(_decide)(request_id, approver_id, decision, feedback, edits, answers, seen)
    return True


async def get_approval(request_id: str) -> dict[str, Any]:
    """The request `request_id` as the API shows it.

    Raises:
        NotFound: there is no such request.
    """
    return await sync_to_async(lambda: _view(found_request(request_id)))()


async def wait_for_approval(request_id: str, timeout_seconds: float = 50.0) -> dict[str, Any]:
    """The request `request_id` once it has ended, or in its present state after `timeout_seconds`.

    It is read twice a second.

    Raises:
        NotFound: there is no such request.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout_seconds
    while True:
        found = await get_approval(request_id)
        if found["status"] not in OPEN or loop.time() >= until:
            return found
        await asyncio.sleep(LOOK_SECONDS)


async def remind_approval(request_id: str) -> dict[str, Any]:
    """Remind the people who have not decided `request_id` yet; returns the request.

    Raises:
        NotFound: there is no such request.
        WrongState: nobody can be reminded in its state.
        TooSoon: it was done a moment ago; `retry_after` has the seconds.
    """
    return await sync_to_async(lambda: _view(remind(request_id=request_id, actor=PYTHON)))()


async def withdraw_approval(request_id: str, note: str = "") -> dict[str, Any]:
    """Withdraw the request `request_id`; a step that waits for it fails. `note`: why. Returns the request.

    Raises:
        NotFound: there is no such request.
        WrongState: it has ended.
    """
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
        actor=permissions.actor_for(user, door="python"),
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
    return request_view(found) | more
