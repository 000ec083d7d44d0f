"""Whoever decides for somebody who is away hears once, as that begins, of what waits already."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from approvals.core.words import Status
from approvals.links import page_of
from approvals.models import Delegation, Request, Seat, Vote
from approvals.people import may_decide, person_id
from approvals.standing_in import in_force, without_own
from notifications.message import Message, Person
from notifications.services import tell
from orchestration import sql

MOST_AT_ONCE = 200
MOST_LISTED = 20
LONGEST_LINE = 200


def tell_those_who_begin(at: datetime) -> int:
    """For the rules that began since, also those that were made ahead: how many heard of something."""
    told = 0
    for rule in in_force(at).filter(told_at=None, to__is_active=True).select_related("owner", "to")[:MOST_AT_ONCE]:
        with sql.writing():
            told += tell_of(rule, at)
    return told


def tell_of(rule: Delegation, at: datetime) -> bool:
    """In the caller's transaction, once for each rule."""
    if not Delegation.objects.filter(pk=rule.pk, told_at=None).update(told_at=at) or not may_decide(rule.to):
        return False
    found = list(waiting_for_deputy(rule)[: MOST_LISTED + 1])
    if not found:
        return False
    count = f"{len(found)} requests wait" if len(found) > 1 else "a request waits"
    if len(found) > MOST_LISTED:
        count = f"more than {MOST_LISTED} requests wait"
    tell(
        subject=f"delegation:{rule.pk}",
        kind="approval.delegated",
        message=Message(
            title=f"You decide for {rule.owner}: {count} for you now"[:300],
            text=_text(rule, found),
            url=f"{settings.ZEN_PUBLIC_URL}{reverse('admin:approvals-inbox')}",
        ),
        people=[Person(user_id=rule.to_id, name=rule.to.get_username(), email=rule.to.email)],
        dedupe=f"delegation:{rule.pk}:began",
    )
    return True


def waiting_for_deputy(rule: Delegation) -> QuerySet[Request]:
    """What waits for the owner, and can be decided by the other. Most urgent first."""
    open_to = Request.objects.filter(status__in=(Status.PENDING, Status.RESCUE)).select_related("policy")
    if rule.policies:
        open_to = open_to.filter(policy__name__in=rule.policies)
    waits = Seat.objects.filter(request=OuterRef("pk"), user=rule.owner_id, waits=True)
    sits = Seat.objects.filter(request=OuterRef("pk"), user=rule.to_id)
    me = person_id(rule.to_id)
    spoken = Vote.objects.filter(request=OuterRef("pk"), round=OuterRef("round"), person=me)
    return (
        without_own(open_to, rule.to).filter(Exists(waits), ~Exists(sits), ~Exists(spoken)).order_by("expires_at", "pk")
    )


def _text(rule: Delegation, found: list[Request]) -> str:
    lines = [f"{rule.owner} is away until {rule.ends_at:%Y-%m-%d %H:%M} UTC, and you decide for them meanwhile.", ""]
    lines += [f"- {one.title[:LONGEST_LINE]}: {page_of(one)}" for one in found[:MOST_LISTED]]
    return "\n".join([*lines, *(["- and more, which are in your inbox"] if len(found) > MOST_LISTED else [])])
