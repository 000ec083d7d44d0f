"""Listens to deliveries of notices: the first one starts a stage's clock, and silence counts from them."""

from __future__ import annotations

from approvals.core.approval.events import Delivered
from approvals.core.approval.timers import silence_is_yes
from approvals.models import Request
from approvals.models.request import subject_of
from approvals.requests.messages.notify import told_in
from approvals.requests.state.locked_request import LockedRequest, lock_request
from foundation.db import statements
from notifications.message import DeliveryEnded
from notifications.models import Delivery

ASKING = frozenset({"approval.asked", "approval.escalated", "approval.reminder"})


def on_delivery_ended(ended: DeliveryEnded) -> None:
    """Note that a person was reached. Called after the delivery's row is stored; called twice it changes nothing."""
    kind, _, pk = ended.subject.partition(":")
    if kind != "approval" or not pk.isdecimal() or not ended.sent or ended.kind not in ASKING:
        return
    request = Request.objects.filter(pk=int(pk)).first()
    if request is None:
        return
    with statements.writing():
        locked = lock_request(request.run_id)
        person = ended.person or (f"user:{ended.user_id}" if ended.user_id else "")
        locked.apply(Delivered(at=ended.at, person=person, of=told_in(ended.dedupe)))


def apply_missed_deliveries(locked: LockedRequest) -> None:
    """Note people who were reached and are not in the state yet: the listener failed, or began after the request.

    Called before silence is taken for a yes.
    """
    if locked.state.status.is_end or not silence_is_yes(locked.plan, locked.state):
        return
    known = {one.person for one in locked.state.heard if one.stage == locked.state.stage}
    if set(locked.state.awaited) <= known:
        return
    told = Delivery.objects.filter(
        notice__subject=subject_of(locked.request), notice__kind__in=ASKING, updates=None,
        person_key__in=set(locked.state.awaited) - known,
    ).order_by("pk")  # fmt: skip
    rows = told.values_list("person_key", "notice__dedupe", "status", "sent_at", "into__status", "into__sent_at")
    for person, dedupe, own, own_at, into, into_at in rows:
        status, at = (into, into_at) if own == Delivery.COALESCED else (own, own_at)
        if status == Delivery.SENT and at is not None:
            locked.apply(Delivered(at=at, person=person, of=told_in(dedupe)))
