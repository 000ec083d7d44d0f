"""What the notifications room says of its deliveries: the first one that arrived starts the clock."""

from __future__ import annotations

from approvals import folding
from approvals.core.events import Delivered
from approvals.models import Request
from notifications.message import DeliveryEnded
from orchestration import sql

ASKING = frozenset({"approval.asked", "approval.escalated"})


def heard(ended: DeliveryEnded) -> None:
    """Called after the delivery's row is stored; once too often changes nothing."""
    kind, _, pk = ended.subject.partition(":")
    if kind != "approval" or not pk.isdecimal() or not ended.sent or ended.kind not in ASKING:
        return
    request = Request.objects.filter(pk=int(pk)).first()
    if request is None:
        return
    with sql.writing():
        held = folding.hold(request.run_id)
        person = f"user:{ended.user_id}" if ended.user_id else ""
        folding.fold(held, Delivered(at=ended.at, person=person))
