"""Send a dead delivery again."""

from __future__ import annotations

from django.db import transaction

from foundation.errors import NotAllowed, NotFound, WrongState
from foundation.identity.actor import Actor
from foundation.identity.permissions import ADMINISTRATOR, OPERATOR
from foundation.nudge import nudge_on_commit
from foundation.outbox.outcome import send_again
from notifications.delivery.settlements import settlements
from notifications.models import Delivery
from notifications.services.audit import record

MAY_RESEND = frozenset({OPERATOR, ADMINISTRATOR})


def resend(*, delivery: Delivery, actor: Actor) -> Delivery:
    """Queue a dead `delivery` again, as if it had not been tried, through the same channel. Returns it.

    Raises:
        NotAllowed: `actor` is neither operator nor administrator.
        NotFound: the delivery is gone.
        WrongState: it is not dead, has no channel, or its subject is settled.
    """
    if not actor.roles & MAY_RESEND:
        needed = " or ".join(sorted(MAY_RESEND))
        raise NotAllowed(f"{actor.name} may not send again", field="role", remedy=f"ask for the role {needed}")
    with transaction.atomic():
        row = Delivery.objects.select_for_update(no_key=True, of=("self",)).filter(pk=delivery.pk).first()
        if row is None:
            raise NotFound(f"there is no delivery {delivery.pk}", field="delivery", value=str(delivery.pk))
        _check(row)
        send_again(row, rest=[], ended_at=None)
        record(actor=actor, action="delivery.resend", delivery=row.pk, subject=row.notice.subject, error=row.error)
        nudge_on_commit()
    return row


def _check(row: Delivery) -> None:
    if row.status != Delivery.DEAD:
        raise WrongState(f"the delivery is {row.status}; only a dead one is sent again", field="delivery")
    if row.channel_id is None:
        remedy = "fill in the person's contact; the next notice uses it"
        raise WrongState("no channel reached this person", field="delivery", remedy=remedy)
    if settlements([row]):
        raise WrongState("its subject is settled; nothing is left to send", field="delivery")
