"""What the audit has of a request besides its votes. Its receipt says nothing else (docs/reference/receipts.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from approvals.core.approval.events import Event, Resumed
from approvals.core.approval.plan import Plan
from approvals.core.approval.state import State
from approvals.core.enums import Status
from approvals.models import Request
from foundation.canonical_json import canonical, moment, sha256
from foundation.identity.actor import Actor

ITSELF = Actor(name="approvals", door="engine")
"""The actor of rows that follow from an act or from time. The person who acted has a row of their own."""

Row = tuple[str, dict[str, Any]]
"""An action and its data."""


def opened_record(request: Request) -> dict[str, Any]:
    """The data of the row `approval.ask`: what is asked, under which policy, of whom, and who may never decide."""
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


def event_records(request: Request, plan: Plan, before: State, event: Event, after: State) -> Iterator[Row]:
    """The rows for what one event led to beyond a person's own act. `request` has the values of `after` already."""
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
    """SHA-256 of the value in canonical JSON."""
    return sha256(canonical(value))


def names_of(people: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """{person id: name} of a request's people."""
    return {person: str(info.get("name", person)) for person, info in people.items()}


def ordered(plan: Any) -> Any:
    """A stored plan with its sets sorted: each process stores them in another order."""
    if isinstance(plan, dict):
        return {key: ordered(value) for key, value in plan.items()}
    if isinstance(plan, list):
        is_set = all(isinstance(one, str | int) for one in plan)
        return sorted(plan) if is_set else [ordered(one) for one in plan]
    return plan


def plan_hash(plan: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The hash of an ordered plan and its people's names, without who is barred: a new round can bar more."""
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
