"""What the audit has of a request besides its votes, so that its receipt can say nothing else (docs/receipts.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from approvals.core.events import Event, Resumed
from approvals.core.plan import Plan
from approvals.core.state import State
from approvals.core.words import Status
from approvals.models import Request
from orchestration.audit import Actor
from orchestration.audit_chain.canonical import canonical, moment, sha256

ITSELF = Actor(name="approvals", door="engine")
"""What follows from an act is nobody's own act: whoever acted has a row of their own, and the clock is no person."""

Row = tuple[str, dict[str, Any]]
"""An action and its data."""


def asked(request: Request) -> dict[str, Any]:
    """As it is opened: what, under which policy, of whom, and of whom never."""
    plan = ordered(request.plan)
    return {
        "policy": str(request.policy),
        "policy_version": request.policy.version,
        "policy_hash": request.policy.hash,
        "content": request.content_hash,
        "facts": digest(request.facts),
        "plan": plan_hash(plan, names_of(request.people)),
        "barred": plan["barred"],
        "requester": request.requester,
        "stage": request.stage,
        "about": request.about,
        "step_id": request.step_id,
        "created_at": moment(request.created_at),
    }


def became(request: Request, plan: Plan, before: State, event: Event, after: State) -> Iterator[Row]:
    """What one event made of it: whatever no act of a person names. Request and `after` say the same already."""
    yield from _escalations(plan, before, after)
    if isinstance(event, Resumed):
        given_back = {"since": moment(event.since), "until": moment(event.until)}
        yield "approval.time-given-back", {"stage": plan.stages[after.stage].name, "round": request.round, **given_back}
    for number in after.silent[len(before.silent) :]:
        told = [[one.person, moment(one.at)] for one in after.heard if one.stage == number]
        data = {"stage": plan.stages[number].name, "round": request.round, "told": told}
        yield "approval.passed-by-silence", data
    if (after.status, after.round) == (before.status, before.round):
        return
    if after.status.is_end:
        votes = [[vote.person, moment(vote.at)] for vote in after.votes]
        people = [names_of(request.people), ordered(request.plan)["barred"]]
        yield "approval.ended", {**_outcome(request), "people": digest(people), "votes": digest(votes)}
    elif after.status in (Status.COOLING_OFF, Status.RESCUE):
        yield f"approval.{after.status.replace('_', '-')}", _outcome(request)


def digest(value: Any) -> str:
    return sha256(canonical(value))


def names_of(people: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {person: str(info.get("name", person)) for person, info in people.items()}


def ordered(plan: Any) -> Any:
    """A stored plan with its sets in order: each process writes them in its own."""
    if isinstance(plan, dict):
        return {key: ordered(value) for key, value in plan.items()}
    if isinstance(plan, list):
        is_set = all(isinstance(one, str | int) for one in plan)
        return sorted(plan) if is_set else [ordered(one) for one in plan]
    return plan


def plan_hash(plan: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Of an ordered plan and the names of its people. Not of who is barred from it: a new round can bar more."""
    chain = {key: value for key, value in plan.items() if key != "barred"}
    people = {
        person
        for stage in plan["stages"]
        for found in (stage["people"], *(level["people"] for level in stage["levels"]))
        for person in found
    }
    return digest([chain, {person: names.get(person) for person in people}])


def _outcome(request: Request) -> dict[str, Any]:
    return {
        "status": request.status,
        "words": request.words,
        "title": request.title,
        "decided_by": request.decided_by,
        "decided_at": moment(request.decided_at) if request.decided_at else None,
        "round": request.round,
        "content": request.shown_hash,
    }


def _escalations(plan: Plan, before: State, after: State) -> Iterator[Row]:
    """The levels that were asked; each opening of a stage begins with the first."""
    stage = plan.stages[after.stage]
    for number, place in after.escalated_since(before):
        people = sorted(stage.levels[place].people - plan.barred)
        yield "approval.escalated", {"stage": stage.name, "level": number, "people": people}
