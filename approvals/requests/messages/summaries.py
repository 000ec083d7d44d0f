"""Notices that list several requests: to a delegate what waits already, to administrators what has too few deciders."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, Max, Min, OuterRef, QuerySet
from django.urls import reverse

from approvals.core.enums import Status, Telling
from approvals.models import Delegation, Request, Seat, Vote
from approvals.policies.delegation_rules import in_force, without_own
from approvals.policies.principals import may_decide, person_id
from approvals.queries.requests import state_of
from approvals.requests.messages.addressees import administrators, channels_of
from approvals.requests.messages.links import page_of
from approvals.requests.messages.notify import tell_rescue
from foundation.db import statements
from notifications.message import Message, Person
from notifications.services import notify

MOST_LISTED = 20
LONGEST_LINE = 200
MOST_DELEGATES, MOST_RESCUES = 200, 1000
"""At once."""

QUIET = timedelta(seconds=45)
"""So long no other has come before they are told of: what leaves at once is seen in several passes."""

LONGEST_WAIT = timedelta(minutes=5)


def tell_those_who_begin(at: datetime) -> int:
    """For the delegations that have begun by `at`, also those made ahead: how many delegates were told of something."""
    told = 0
    for rule in in_force(at).filter(told_at=None, to__is_active=True).select_related("owner", "to")[:MOST_DELEGATES]:
        with statements.writing():
            told += tell_of(rule, at)
    return told


def tell_of(rule: Delegation, at: datetime) -> bool:
    """Tell the delegate, once for each delegation; whether there was something to tell. In the caller's transaction."""
    if not Delegation.objects.filter(pk=rule.pk, told_at=None).update(told_at=at) or not may_decide(rule.to):
        return False
    found = list(waiting_for_deputy(rule)[: MOST_LISTED + 1])
    if not found:
        return False
    count = f"{len(found)} requests wait" if len(found) > 1 else "a request waits"
    if len(found) > MOST_LISTED:
        count = f"more than {MOST_LISTED} requests wait"
    notify(
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
    """The requests that wait for the owner and that the delegate can decide, the most urgent first."""
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


def tell_of_rescues(at: datetime) -> int:
    """Tell of the requests that need it by `at`; returns how many."""
    to_tell = Request.objects.filter(rescue_to_tell__isnull=False)
    span = to_tell.aggregate(first=Min("rescue_to_tell"), last=Max("rescue_to_tell"))
    if span["last"] is None or (at - span["last"] < QUIET and at - span["first"] < LONGEST_WAIT):
        return 0
    with statements.writing():
        found = list(to_tell.select_for_update(of=("self",)).select_related("policy").order_by("pk")[:MOST_RESCUES])
        Request.objects.filter(pk__in=[one.pk for one in found]).update(rescue_to_tell=None)
        waiting = [one for one in found if one.status == Status.RESCUE]
        if len(waiting) == 1:
            tell_rescue(waiting[0], state_of(waiting[0]))
        elif waiting:
            _tell_together(waiting)
    return len(waiting)


def _tell_together(found: Sequence[Request]) -> None:
    versions = "\n".join(f"{one.pk}:{one.state['version']}" for one in found)
    channels = dict.fromkeys(name for one in found for name in channels_of(one, state_of(one)))
    lines = ["Too few people can decide them. Name others, or restore those who were named.", ""]
    lines += [f"- {one.title[:LONGEST_LINE]}: {page_of(one)}" for one in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        lines.append(f"- and {len(found) - MOST_LISTED} more")
    notify(
        subject="approvals:rescue",
        kind=f"approval.{Telling.RESCUE}",
        message=Message(
            title=f"{len(found)} approvals need an administrator",
            text="\n".join(lines),
            url=f"{settings.ZEN_PUBLIC_URL}{reverse('admin:approvals-inbox')}?tab=rescue",
        ),
        people=administrators(),
        channels=tuple(channels),
        dedupe=f"rescue:{hashlib.sha256(versions.encode()).hexdigest()[:32]}",
        urgent=True,
        capped=False,
    )
