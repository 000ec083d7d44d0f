"""A request as one JSON object, the same for the console, the API and the pages; and whom no message reaches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from approvals.core.approval.plan import Plan, StagePlan, in_order
from approvals.core.approval.quorum import missing
from approvals.core.approval.state import State
from approvals.core.content import difference
from approvals.core.enums import Status
from approvals.models import Request
from approvals.models.request import subject_of
from approvals.policies.local_times import time_in, zone_of
from approvals.queries.agent_act import act_view
from approvals.queries.requests import (
    _iso,
    editable_now,
    form_of,
    is_delivered,
    name_in,
    plan_of_request,
    request_row,
    state_of,
    vote_view,
    waiting_for,
)
from notifications.models import Delivery

GOING = (Delivery.SENT, Delivery.QUEUED, Delivery.SENDING)


def request_view(request: Request) -> dict[str, Any]:
    """The request as one JSON object (docs/reference/api.md); times are ISO 8601 in UTC."""
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
        "act": act_view(request),
        "delivered": is_delivered(request),
    }


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


def not_reached(request: Request, people: Iterable[str]) -> dict[str, str]:
    """{person id: why}. A person who got one of the messages, or may still get it in time, is left out."""
    rows = Delivery.objects.filter(
        notice__subject=subject_of(request), person_key__in=list(people), updates=None
    ).order_by("id")
    faults: dict[str, str] = {}
    heard: set[str] = set()
    end = request.expires_at
    for key, own, own_error, due_at, into, into_error in rows.values_list(
        "person_key", "status", "error", "due_at", "into__status", "into__error"
    ):
        status, error = (into, into_error) if own == Delivery.COALESCED else (own, own_error)
        if status == Delivery.QUEUED and end is not None and due_at >= end:
            faults[key] = f"the message goes at {time_in(request, due_at)}, and that is after the deadline"
        elif status in GOING:
            heard.add(key)
        elif status == Delivery.DEAD or (status == Delivery.CANCELLED and error):  # muted, or told too often already
            faults[key] = error
    return {key: why for key, why in faults.items() if key not in heard}
