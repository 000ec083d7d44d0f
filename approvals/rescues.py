"""One message to administrators for all requests that need them since too few are left who may decide."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min
from django.urls import reverse

from approvals.core.words import Status, Telling
from approvals.links import page_of
from approvals.models import Request
from approvals.notices import administrators, channels_of, tell_rescue
from approvals.selectors import state_of
from notifications.message import Message
from notifications.services import tell
from orchestration import sql

QUIET = timedelta(seconds=45)
"""So long no other has come before they are told of: what leaves at once is seen in several passes."""

LONGEST_WAIT = timedelta(minutes=5)
MOST_AT_ONCE = 1000
MOST_LISTED = 20
LONGEST_LINE = 200


def tell_of_rescues(at: datetime) -> int:
    """How many requests were told of."""
    to_tell = Request.objects.filter(rescue_to_tell__isnull=False)
    span = to_tell.aggregate(first=Min("rescue_to_tell"), last=Max("rescue_to_tell"))
    if span["last"] is None or (at - span["last"] < QUIET and at - span["first"] < LONGEST_WAIT):
        return 0
    with sql.writing():
        found = list(to_tell.select_for_update(of=("self",)).select_related("policy").order_by("pk")[:MOST_AT_ONCE])
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
    lines = ["Too few people are left who may decide them. Name others, or see to it that they are back.", ""]
    lines += [f"- {one.title[:LONGEST_LINE]}: {page_of(one)}" for one in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        lines.append(f"- and {len(found) - MOST_LISTED} more")
    tell(
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
