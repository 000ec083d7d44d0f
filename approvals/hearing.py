"""What the notifications room says of its deliveries: the first starts the clock, and silence counts from them."""

from __future__ import annotations

from approvals import folding
from approvals.core.events import Delivered
from approvals.core.reached import silence_is_yes
from approvals.folding import Held
from approvals.models import Request
from approvals.notices import subject_of, told_in
from notifications.message import DeliveryEnded
from notifications.models import Delivery
from orchestration import sql

ASKING = frozenset({"approval.asked", "approval.escalated", "approval.reminder"})


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
        person = ended.person or (f"user:{ended.user_id}" if ended.user_id else "")
        folding.fold(held, Delivered(at=ended.at, person=person, of=told_in(ended.dedupe)))


def hear_what_was_sent(held: Held) -> None:
    """Whoever was reached by now and is not in the state yet: the listener failed, or is younger than the request.

    Before silence is taken for a yes, or for nobody's.
    """
    if held.state.status.is_end or not silence_is_yes(held.plan, held.state):
        return
    known = {one.person for one in held.state.heard if one.stage == held.state.stage}
    if set(held.state.awaited) <= known:
        return
    told = Delivery.objects.filter(
        notice__subject=subject_of(held.request), notice__kind__in=ASKING, updates=None,
        person_key__in=set(held.state.awaited) - known,
    ).order_by("pk")  # fmt: skip
    rows = told.values_list("person_key", "notice__dedupe", "status", "sent_at", "into__status", "into__sent_at")
    for person, dedupe, own, own_at, into, into_at in rows:
        status, at = (into, into_at) if own == Delivery.COALESCED else (own, own_at)
        if status == Delivery.SENT and at is not None:
            folding.fold(held, Delivered(at=at, person=person, of=told_in(dedupe)))
