"""What a request looks like to the console, the API and the pages: one JSON shape for all. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat

from approvals.core.approval.plan import PLAN, Plan
from approvals.core.approval.quorum import first_yes
from approvals.core.approval.state import STATE, State
from approvals.core.content import apply_edits
from approvals.core.enums import Choice, Status
from approvals.core.policy.definition import PolicyDefinition, Stage
from approvals.core.policy.form import FormField
from approvals.models import Request, Vote
from approvals.policies.local_times import time_in

LARGE = ("content", "earlier", "state", "plan", "people", "named", "groups", "facts", "edits")
"""Columns that a row of a list does not need."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def requests(
    *, statuses: Iterable[str] = (), about: str = "", stage: str = "", policy: str = "", search: str = ""
) -> QuerySet[Request]:
    """The requests that match, newest first; an empty filter matches all.

    `search`: in the handle, the title, the workflow.
    """
    found = Request.objects.select_related("policy", "run")
    if statuses:
        found = found.filter(status__in=list(statuses))
    for name, value in (("about", about), ("stage", stage), ("policy__name", policy)):
        if value:
            found = found.filter(**{name: value})
    if search:
        found = found.filter(Q(request_id__icontains=search) | Q(title__icontains=search) | Q(about__icontains=search))
    return found


def with_its_end(found: QuerySet[Request]) -> QuerySet[Request]:
    """With the end of each as `ends`, by which pages can be continued; far in the future for what has none."""
    return found.annotate(ends=Coalesce("expires_at", Value(NEVER)))


def request_row(request: Request) -> dict[str, Any]:
    """A request as a row of a list."""
    return {
        "request_id": request.request_id,
        "status": request.status,
        "title": request.title,
        "stage": request.stage,
        "about": request.about or None,
        "requester": request.requester,
        "policy": str(request.policy),
        "created_at": _iso(request.created_at),
        "expires_at": _iso(request.expires_at),
        "decided_at": _iso(request.decided_at),
        "decided_by": request.decided_by or None,
    }


def vote_view(request: Request, vote: Vote) -> dict[str, Any]:
    """A vote as JSON."""
    return {
        "name": vote.name,
        "person": vote.person,
        "on_behalf_of": name_in(request, vote.owner) if vote.owner != vote.person else None,
        "decision": vote.choice,
        "comment": vote.comment,
        "edits": vote.edits,
        "answers": vote.answers,
        "stage": vote.stage,
        "round": vote.round,
        "door": vote.door,
        "strength": vote.strength,
        "content_hash": vote.content_hash,
        "at": _iso(vote.at),
    }


def is_delivered(request: Request) -> bool:
    """Whether the run that waits has been told of the end; True where no run waits, or while the request is open."""
    if not Status(request.status).is_end or request.run.parent is None:
        return True
    told = request.run.parent.messages.filter(message_id__startswith=f"look:{request.run_id}:")
    return not told.filter(delivered_at=None).exists()


def undelivered() -> QuerySet[Request]:
    """Decided requests whose run has not been told yet: its engine is away. Such a run may wait for others as well."""
    told = Concat(Value("look:"), Cast("run_id", CharField()), Value(":"))
    return Request.objects.filter(
        decided_at__isnull=False, run__parent__messages__delivered_at=None,
        run__parent__messages__message_id__startswith=told,
    ).distinct()  # fmt: skip


def state_of(request: Request) -> State:
    """The stored state of the flow."""
    return STATE.validate_python(request.state)


def plan_of_request(request: Request) -> Plan:
    """The stored plan of the flow."""
    return PLAN.validate_python(request.plan)


def open_stage(request: Request, state: State | None = None) -> Stage:
    """The open stage as its policy has it."""
    stages = PolicyDefinition.model_validate(request.policy.body).stages
    return stages[(state or state_of(request)).stage]


def form_of(request: Request, state: State | None = None) -> tuple[FormField, ...]:
    """The form that a decision has to answer now."""
    found = state or state_of(request)
    return () if found.status.is_end else open_stage(request, found).form


def editable_now(request: Request, state: State) -> tuple[str, ...]:
    """The paths that a yes may change now: none once another person has approved in this stage, or edited that path."""
    if state.status.is_end or first_yes(state):
        return ()
    return tuple(path for path in open_stage(request, state).editable if path not in request.edits)


def waiting_for(state: State) -> tuple[str, ...]:
    """Person ids of those whose decision is awaited."""
    return state.awaited if state.status.can_be_decided else ()


def name_in(request: Request, person: str) -> str:
    """The name that this person had when they were asked."""
    return str(request.people.get(person, {}).get("name", person))


def used(request: Request) -> str:
    """That the yes was used, in words; '' while it was not."""
    return f"the yes was used at {time_in(request, request.spent_at, seconds=True)}" if request.spent_at else ""


def said(request: Request, person: str) -> Choice | None:
    """This person's decision in the open round; None before it."""
    vote = request.votes.filter(person=person, round=request.round).last()
    return Choice(vote.choice) if vote else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def with_edits(request: Request) -> dict[str, Any]:
    """The content as it would be approved now, with the edits of this round."""
    return apply_edits(request.content, request.edits)
