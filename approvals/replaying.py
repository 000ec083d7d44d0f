"""Past requests against a draft of a policy: what would have come of them. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from approvals import people, rules
from approvals.core.events import Cancelled, ContentChanged, Delivered, Event, Resumed, Revoked, Withdrawn
from approvals.core.policy import PolicyDefinition
from approvals.core.replay import Past, Replayed, in_order, replay, votes_of
from approvals.core.words import ENDS, Status
from approvals.hopeless import why_hopeless
from approvals.models import Request
from approvals.people import Found
from approvals.selectors import plan_of_request, requests, state_of
from approvals.simulator import plan_for
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
    """`refused`: why it could not even have been asked under the draft; then `would` is None."""

    request: Request
    was: Past
    would: Replayed | None
    refused: str
    names: dict[str, str]

    @property
    def differs(self) -> bool:
        return self.would is None or self.would.differs

    def name(self, person: str) -> str:
        return self.names.get(person, person)


def replayed(
    *, policy: PolicyDefinition, since: datetime | None = None, of: str = "", limit: int = 100
) -> Iterator[Compared]:
    """Ended requests, the newest first; `of`: only those of this policy. Whom the draft names is looked up now."""
    whom = people.find(policy)
    found = requests(statuses=sorted(ENDS), policy=of).filter(decided_at__isnull=False)
    if since is not None:
        found = found.filter(created_at__gte=since)
    for request in found[:limit]:
        yield _compared(policy, whom, request)


def _compared(policy: PolicyDefinition, whom: Found, request: Request) -> Compared:
    plan = plan_for(policy, whom, plan_of_request(request).barred, request.created_at)
    refused = why_hopeless(plan, policy, whom)
    past = past_of(request)
    names = {person: str(info.get("name", person)) for person, info in request.people.items()}
    return Compared(
        request=request,
        was=past,
        would=None if refused else replay(past, plan, by_rule=_rule(policy, request)),
        refused=refused,
        names={person.id: person.name for person in whom.people.values()} | names,
    )


def past_of(request: Request) -> Past:
    """A request as plain data: its votes, and what else happened to it from outside."""
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


def _rule(policy: PolicyDefinition, request: Request) -> str:
    content = request.earlier[0] if request.earlier else request.content
    seen = rules.seen(
        stage=request.stage, content=content, requester=request.requester, facts=request.facts, about=request.about
    )
    return policy.auto_approve if rules.holds(policy.auto_approve, seen) else ""
