"""Replays past requests against a draft of a policy. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.core.approval.events import Cancelled, ContentChanged, Delivered, Event, Resumed, Revoked, Withdrawn
from approvals.core.enums import ENDS, Status
from approvals.core.policy.definition import PolicyDefinition
from approvals.core.simulation.replay import Past, Replayed, in_order, replay, votes_of
from approvals.models import Request
from approvals.policies import conditions, principals
from approvals.policies.checks import why_infeasible
from approvals.policies.principals import ResolvedPrincipals
from approvals.queries.requests import plan_of_request, requests, state_of
from approvals.simulation.simulate import plan_for
from orchestration.models import Event as Row

_OTHER_EVENTS: dict[str, type[Cancelled | ContentChanged | Delivered | Revoked | Withdrawn]] = {
    "approval.event.cancelled": Cancelled,
    "approval.event.content_changed": ContentChanged,
    "approval.event.delivered": Delivered,
    "approval.event.revoked": Revoked,
    "approval.event.withdrawn": Withdrawn,
}
"""What is not a vote and would have happened under another policy as well."""

RESUMED = "approval.event.resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One request, as it was and as it would be.

    `refused`: why it could not be asked under the draft; `would` is None then.
    """

    request: Request
    was: Past
    would: Replayed | None
    refused: str
    names: dict[str, str]

    @property
    def differs(self) -> bool:
        """Whether it would have ended in another way."""
        return self.would is None or self.would.differs

    def name(self, person: str) -> str:
        """The name of a person in it."""
        return self.names.get(person, person)


def replayed(
    *, policy: PolicyDefinition, since: datetime | None = None, of: str = "", limit: int = 100
) -> Iterator[Compared]:
    """Ended requests under another policy, the newest first. The people that the draft names are looked up now.

    `since`: only requests opened from then on (aware); `of`: only those of this policy.

    Raises:
        BadInput: the draft names people that do not exist.
    """
    whom = principals.resolve(policy)
    found = requests(statuses=sorted(ENDS), policy=of).filter(decided_at__isnull=False)
    if since is not None:
        found = found.filter(created_at__gte=since)
    for request in found[:limit]:
        yield _compared(policy, whom, request)


def _compared(policy: PolicyDefinition, whom: ResolvedPrincipals, request: Request) -> Compared:
    plan = plan_for(policy, whom, plan_of_request(request).barred, request.created_at)
    refused = why_infeasible(plan, policy, whom)
    past = past_of(request)
    names = {person: str(info.get("name", person)) for person, info in request.people.items()}
    return Compared(
        request=request,
        was=past,
        would=None
        if refused
        else replay(past, plan, by_rule=conditions.rule_for(policy, request, _first_content(request))),
        refused=refused,
        names={person.id: person.name for person in whom.people.values()} | names,
    )


def past_of(request: Request) -> Past:
    """A request as plain data: its votes, and the other events that came from outside."""
    others = [_other(row) for row in request.run.events.filter(kind__in=[*_OTHER_EVENTS, RESUMED])]
    return Past(
        opened_at=request.created_at,
        happened=in_order([*votes_of(state_of(request)), *others]),
        status=Status(request.status),
        ended_at=request.decided_at or request.created_at,
    )


def _other(row: Row) -> Event:
    if row.kind != RESUMED:
        return _OTHER_EVENTS[row.kind](at=row.at)
    since, until = (datetime.fromisoformat(str(row.data[name])) for name in ("since", "until"))
    return Resumed(at=row.at, since=since, until=until)


def _first_content(request: Request) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.earlier[0] if request.earlier else request.content
    return found
