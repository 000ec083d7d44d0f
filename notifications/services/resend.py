"""Send a dead delivery again."""

from __future__ import annotations

from django.db import transaction

from notifications.bell import ring_on_commit
from notifications.clock import now
from notifications.errors import NotAllowed, NotFound, WrongState
from notifications.models import Delivery
from notifications.ports import Actor, audit
from notifications.roles import MAY_RESEND
from notifications.settlements import settlements


def resend(*, delivery: Delivery, actor: Actor) -> Delivery:
    """From the first attempt on, through the same channel. Raises NotAllowed, NotFound or WrongState."""
    if not actor.roles & MAY_RESEND:
        needed = " or ".join(sorted(MAY_RESEND))
        raise NotAllowed(f"{actor.name} may not send again", field="role", remedy=f"ask for the role {needed}")
    with transaction.atomic():
        row = Delivery.objects.select_for_update(no_key=True, of=("self",)).filter(pk=delivery.pk).first()
        if row is None:
            raise NotFound(f"there is no delivery {delivery.pk}", field="delivery", value=str(delivery.pk))
        _check(row)
        row.status, row.attempts, row.due_at, row.rest, row.ended_at = Delivery.QUEUED, 0, now(), [], None
        row.save(update_fields=["status", "attempts", "due_at", "rest", "ended_at"])
        audit(actor=actor, action="delivery.resend", delivery=row.pk, subject=row.notice.subject, error=row.error)
        ring_on_commit()
    return row


def _check(row: Delivery) -> None:
    if row.status != Delivery.DEAD:
        raise WrongState(f"the delivery is {row.status}; only a dead one is sent again", field="delivery")
    if row.channel_id is None:
        remedy = "fill in the person's contact; the next notice uses it"
        raise WrongState("no channel reached this person", field="delivery", remedy=remedy)
    if settlements([row]):
        raise WrongState("its subject is settled: there is nothing left to say", field="delivery")
