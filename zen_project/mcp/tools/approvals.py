"""Tools that read, ask for and decide approvals."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from approvals.api.serializers import STATUSES, RequestOut, RequestRow
from approvals.api.views_requests import Urgent
from approvals.core.enums import Choice
from approvals.models import Request
from approvals.queries import requests
from approvals.queries.inbox import inbox_of
from approvals.queries.view import request_view
from approvals.requests import Ask, ask, decide, get_request
from approvals.requests.allowed_actions import offers_for
from approvals.requests.caller import evidence_of
from foundation.errors import BadInput
from orchestration.api.views_definitions import Pages
from zen_project.mcp.arguments import Arguments
from zen_project.mcp.bounds import LIMIT
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer, Entry
from zen_project.mcp.schemas import answer, page
from zen_project.mcp.tools.fields import Cursor, Engine, Json, Limit, NewHandle, RequestId
from zen_project.mcp.tools.pages import page as page_of

LONGEST_TEXT = 10_000
APPROVAL = answer(RequestOut, approval_id={"type": "string", "description": "the same as request_id"})
CHOICES = [choice.value for choice in Choice]


class Which(Arguments):
    """Which requests, and how many of them."""

    status: Annotated[list[str], Field(description=f"only these: {', '.join(STATUSES)}")] = []
    mine: Annotated[bool, Field(description="only what waits for your decision, the most urgent first")] = False
    about: Annotated[str, Field(max_length=200, description="only those about this workflow_id")] = ""
    stage: Annotated[str, Field(max_length=100)] = ""
    policy: Annotated[str, Field(max_length=100)] = ""
    search: Annotated[str, Field(max_length=300)] = ""
    limit: Limit = LIMIT
    cursor: Cursor = ""


class OfRequest(Arguments):
    """Of a tool that only has to know the request."""

    request_id: RequestId


class Asked(Arguments):
    """What is asked, and of whom; who decides is the policy's choice where nothing is said."""

    workflow_id: Annotated[str, Field(max_length=200, description="what it is about")] = ""
    stage: Annotated[str, Field(min_length=1, max_length=100, description="a word; it chooses the policy")]
    description: Annotated[str, Field(max_length=20_000, description="what is asked, as Markdown")] = ""
    context: Annotated[Json | None, Field(description="what is shown to those who decide")] = None
    timeout_seconds: Annotated[
        float | None, Field(ge=0.001, le=366 * 86_400, description="until it expires; only shorter than the policy's")
    ] = None
    request_id: NewHandle | None = None
    title: Annotated[str, Field(max_length=300)] = ""
    policy: Annotated[str, Field(max_length=100, description="a published policy")] = ""
    approvers: Annotated[list[str], Field(max_length=100, description="user names, addresses, group:…")] = []
    how_many: Annotated[str | int, Field(description="of them: any, all, majority, or a number")] = "any"
    editable: Annotated[list[str], Field(max_length=50, description="paths in context that a yes may change")] = []
    engine: Engine | None = None


class Decided(OfRequest):
    """A decision."""

    decision: Annotated[str, Field(description=f"one of: {', '.join(CHOICES)}")]
    comment: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    edits: Annotated[Json | None, Field(description="{path: value} that this yes changes")] = None
    answers: Annotated[Json | None, Field(description="{field: value} of the stage's form")] = None
    seen: Annotated[str, Field(max_length=64, description="content_hash as shown; a yes needs it")] = ""


def request_answer(found: Request, caller: Caller) -> Answer:
    """The request as REST shows it to this caller; nobody decides without being somebody."""
    names = offers_for(found, caller.user).names if caller.user is not None else ()
    return request_view(found) | {"allowed_actions": list(names), "approval_id": found.request_id}


def list_approvals(caller: Caller, given: Which) -> Answer:
    """Requests for approval, the latest first; with `mine` those that wait for you."""
    for word in given.status:
        if word not in STATUSES:
            remedy = f"one of: {', '.join(STATUSES)}"
            raise BadInput(f"'{word[:80]}' is not a status", field="status", value=word[:80], remedy=remedy)
    filters = given.model_dump(include={"about", "stage", "policy", "search"})
    found, pages = requests.requests(statuses=given.status, **filters), Pages
    if given.mine:
        caller.person()
        found = requests.with_its_end(found.filter(pk__in=inbox_of(caller.user).values("pk")))
        pages = Urgent
    rows = found.defer(*requests.LARGE)
    return page_of(rows, requests.request_row, pages, cursor=given.cursor, limit=given.limit)


def get_approval(caller: Caller, given: OfRequest) -> Answer:
    """One request for approval: what is asked, who is waited for, who decided, and what you may do."""
    return request_answer(get_request(given.request_id, actor=caller.actor), caller)


def asked(caller: Caller, given: Asked) -> tuple[Request, bool]:
    """The request, and whether this call opened it."""
    said = given.model_dump(exclude={"workflow_id", "request_id", "engine", "context"})
    said |= {"approvers": tuple(given.approvers), "editable": tuple(given.editable)}
    wanted = Ask(about=given.workflow_id, context=given.context or {}, **said)
    return ask(given=wanted, actor=caller.actor, request_id=given.request_id or "", engine=given.engine or "")


def request_approval(caller: Caller, given: Asked) -> Answer:
    """Ask people for their approval; answers the request. With a request_id the same call again is the same request."""
    return request_answer(asked(caller, given)[0], caller)


def decide_approval(caller: Caller, given: Decided) -> Answer:
    """Decide a request, as the person whose token it is. A yes needs `seen`: the content_hash that was looked at."""
    found = decide(
        request_id=given.request_id,
        actor=caller.actor,
        person=caller.person(),
        choice=given.decision,
        comment=given.comment,
        edits=given.edits,
        answers=given.answers,
        seen=given.seen,
        evidence=evidence_of(caller.connection, strength=caller.strength),
    )
    return request_answer(found, caller)


ENTRIES: tuple[Entry[Any], ...] = (
    Entry(
        name="list_approvals", title="List approvals", arguments=Which, answers=page(RequestRow), do=list_approvals,
        reads=True,
    ),
    Entry(
        name="get_approval", title="Show an approval", arguments=OfRequest, answers=APPROVAL, do=get_approval,
        reads=True,
    ),
    Entry(
        name="request_approval", title="Ask for approval", arguments=Asked, answers=APPROVAL, do=request_approval,
        idempotent=True,
    ),
    Entry(
        name="decide_approval", title="Decide an approval", arguments=Decided, answers=APPROVAL, do=decide_approval,
        destroys=True, idempotent=True,
    ),
)  # fmt: skip
