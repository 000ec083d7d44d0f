"""Reads. What a request looks like to the console, the API and the pages: one shape for all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from approvals.content import difference
from approvals.core.codec import PLAN, STATE
from approvals.core.form import FormField
from approvals.core.plan import Plan, StagePlan, in_order
from approvals.core.policy import PolicyDefinition, Stage
from approvals.core.quorum import first_yes, missing
from approvals.core.state import State
from approvals.core.words import Choice, Status
from approvals.models import Delegation, Remark, Request, Seat, Vote
from approvals.people import person_of
from approvals.reaching import not_reached
from approvals.standing_in import in_force, without_own
from approvals.times import time_in, zone_of
from orchestration.clock import now

LARGE = ("content", "earlier", "state", "plan", "people", "named", "groups", "facts", "edits")
"""Columns that a row of a list does not need."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)

OPEN = (Status.PENDING, Status.CHANGES_REQUESTED, Status.COOLING_OFF, Status.RESCUE)


def requests(
    *, statuses: Iterable[str] = (), about: str = "", stage: str = "", policy: str = "", search: str = ""
) -> QuerySet[Request]:
    """Newest first. `search` looks into the handle, the title and the workflow."""
    found = Request.objects.select_related("policy", "run")
    if statuses:
        found = found.filter(status__in=list(statuses))
    for name, value in (("about", about), ("stage", stage), ("policy__name", policy)):
        if value:
            found = found.filter(**{name: value})
    if search:
        found = found.filter(Q(request_id__icontains=search) | Q(title__icontains=search) | Q(about__icontains=search))
    return found


def inbox(user: Any, *, at: datetime | None = None) -> QuerySet[Request]:
    """What waits for this account: its own seats, and those of whoever is away and has named it. Most urgent first."""
    spoken = Vote.objects.filter(request=OuterRef("pk"), round=OuterRef("round"), person=person_of(user).id)
    undecided = Request.objects.select_related("policy", "run").filter(
        ~Exists(spoken), status__in=(Status.PENDING, Status.RESCUE)
    )
    rules = list(delegations_to(user, at or now()))
    if not rules:  # a person waits in one seat of a request: a page is read along the index of the seats
        own = undecided.filter(seats__user=user, seats__waits=True)
        return own.order_by(F("seats__expires_at").asc(nulls_last=True), "seats__request_id")
    mine = Q(user=user)
    for rule in rules:
        theirs = Q(user=rule.owner_id)
        mine |= theirs & Q(request__policy__name__in=rule.policies) if rule.policies else theirs
    seats = Seat.objects.filter(mine, waits=True)
    return (
        without_own(undecided, user)
        .filter(pk__in=seats.values("request"))
        .order_by(F("expires_at").asc(nulls_last=True), "id")
    )


def my_turn(user: Any) -> QuerySet[Any]:
    """What this account has asked for, and owes a word on."""
    found: QuerySet[Any] = asked_by(user)
    return found.exclude(my_turn="")


def asked_by(user: Any) -> QuerySet[Request]:
    """The open requests of this account: first those that wait for its own word, as `my_turn` says."""
    questions = Remark.objects.filter(request=OuterRef("pk"), kind="question")
    answered = Remark.objects.filter(request=OuterRef("request"), kind="answer", pk__gt=OuterRef("pk"))
    mine = requests(statuses=OPEN).filter(requester_person=person_of(user).id)
    turn = Case(
        When(status=Status.CHANGES_REQUESTED, then=Value("changes were asked for")),
        When(Exists(questions.filter(~Exists(answered))), then=Value("a question waits for your answer")),
        default=Value(""),
    )
    return mine.annotate(my_turn=turn).order_by("-my_turn", F("expires_at").asc(nulls_last=True), "id")


def with_its_end(found: QuerySet[Request]) -> QuerySet[Request]:
    """With the moment that each is over, as `ends`, which pages can go on from: far away for what never ends."""
    return found.annotate(ends=Coalesce("expires_at", Value(NEVER)))


def delegations_to(user: Any, at: datetime) -> QuerySet[Delegation]:
    return in_force(at).filter(to=user)


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


def request_view(request: Request) -> dict[str, Any]:
    """The request as one JSON object: what is asked, who decides, what was said, what happens next."""
    state, plan = state_of(request), plan_of_request(request)
    return {
        **request_row(request),
        "kind": "approval",
        "engine": request.run.engine,
        "words": request.words,
        "round": request.round,
        "step_id": request.step_id or None,
        "content": request.content,
        "content_hash": request.shown_hash,
        "changes": difference(request.earlier[-1], request.content) if request.earlier else "",
        "facts": request.facts,
        "edits": request.edits,
        "editable": list(editable_now(request, state)),
        "form": [field.model_dump(mode="json") for field in form_of(request, state)],
        "stages": [_stage_view(request, plan, state, number) for number in range(len(plan.stages))],
        "waiting_for": [name_in(request, person) for person in waiting_for(state)],
        "not_reached": [
            {"name": name_in(request, person), "why": why}
            for person, why in not_reached(request, waiting_for(state)).items()
        ],
        "told": [
            {"name": name_in(request, one.person), "stage": plan.stages[one.stage].name, "at": _iso(one.at)}
            for one in state.heard
        ],
        "passed_by_silence": [plan.stages[number].name for number in state.silent],
        "missing": missing(plan, state) if state.status is Status.PENDING else 0,
        "votes": [vote_view(request, vote) for vote in request.votes.all()],
        "remarks": [
            {"kind": one.kind, "name": one.name, "text": one.text, "at": _iso(one.at)} for one in request.remarks.all()
        ],
        "next_at": _iso(request.next_at),
        "zone": str(zone_of(request)),
        "spent_by": request.spent_by or None,
        "spent_at": _iso(request.spent_at),
        "delivered": is_delivered(request),
    }


def vote_view(request: Request, vote: Vote) -> dict[str, Any]:
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
    """Whether the run that waits has been told; a request that nothing waits for has nobody to tell."""
    if not Status(request.status).is_end or request.run.parent is None:
        return True
    told = request.run.parent.messages.filter(message_id__startswith=f"look:{request.run_id}:")
    return not told.filter(delivered_at=None).exists()


def undelivered() -> QuerySet[Request]:
    """Decided, and the run that waits has not been told yet: its engine is away. It may wait for others as well."""
    told = Concat(Value("look:"), Cast("run_id", CharField()), Value(":"))
    return Request.objects.filter(
        decided_at__isnull=False, run__parent__messages__delivered_at=None,
        run__parent__messages__message_id__startswith=told,
    ).distinct()  # fmt: skip


def state_of(request: Request) -> State:
    return STATE.validate_python(request.state)


def plan_of_request(request: Request) -> Plan:
    return PLAN.validate_python(request.plan)


def open_stage(request: Request, state: State | None = None) -> Stage:
    """The open stage as its policy has it."""
    stages = PolicyDefinition.model_validate(request.policy.body).stages
    return stages[(state or state_of(request)).stage]


def form_of(request: Request, state: State | None = None) -> tuple[FormField, ...]:
    """What has to be answered with a decision now."""
    found = state or state_of(request)
    return () if found.status.is_end else open_stage(request, found).form


def editable_now(request: Request, state: State) -> tuple[str, ...]:
    """What a yes may change now: nothing that somebody has said yes to in this stage, or has changed before."""
    if state.status.is_end or first_yes(state):
        return ()
    return tuple(path for path in open_stage(request, state).editable if path not in request.edits)


def waiting_for(state: State) -> tuple[str, ...]:
    return state.awaited if state.status.can_be_decided else ()


def name_in(request: Request, person: str) -> str:
    return str(request.people.get(person, {}).get("name", person))


def used(request: Request) -> str:
    """That the yes was used, in words; '' while it was not."""
    return f"the yes was used at {time_in(request, request.spent_at, seconds=True)}" if request.spent_at else ""


def _stage_view(request: Request, plan: Plan, state: State, number: int) -> dict[str, Any]:
    stage = plan.stages[number]
    return {
        "name": stage.name,
        "state": _stage_state(state, number),
        "people": [name_in(request, person) for person in in_order(stage.people - plan.barred)],
        "how_many": _how_many(stage),
        "at_the_end": stage.at_the_end.value,
    }


def _stage_state(state: State, number: int) -> str:
    if number < state.stage or (state.status is Status.APPROVED and number == state.stage):
        return "passed"
    if number > state.stage:
        return "not reached"
    return "ended" if state.status.is_end else "open"


def _how_many(stage: StagePlan) -> str:
    words = {"n": str(stage.number), "percent": f"{stage.percent}%"}
    if stage.mode == "groups":
        return ", ".join(f"{number} of {group}" for group, number in sorted(stage.minima.items()))
    return words.get(stage.mode.value, stage.mode.value)


def said(request: Request, person: str) -> Choice | None:
    """What this person said in the round that is open."""
    vote = request.votes.filter(person=person, round=request.round).last()
    return Choice(vote.choice) if vote else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
