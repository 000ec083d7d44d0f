"""From a claimed row to what a sender needs. Everything is read here: senders touch no row."""

from __future__ import annotations

from notifications import ports
from notifications.channels.envelope import Envelope, Item
from notifications.delivery.settlements import settlements
from notifications.models import Delivery, Notice


def envelope_of(row: Delivery) -> Envelope | None:
    """None when there is nothing left to say."""
    carrier = row.updates or row
    inside = Delivery.objects.filter(into=carrier.pk).select_related("notice").order_by("id")
    told = [Delivery.objects.select_related("notice").get(pk=carrier.pk), *inside]
    ends = settlements(told)
    if row.updates is None:
        items = [_item(one, one.notice) for one in told if one.pk not in ends]
    else:
        items = [_item(one, ends.get(one.pk) or one.notice, settled=one.pk in ends) for one in told]
    if not items or row.channel is None:
        return None
    return Envelope(
        id=row.pk,
        subject=row.notice.subject,
        kind=row.notice.kind,
        target=row.channel.target,
        token=row.channel.token,
        address=row.address,
        name=row.person_name,
        items=tuple(items),
        changes=dict(row.updates.reference) if row.updates else {},
    )


def _item(row: Delivery, notice: Notice, *, settled: bool = False) -> Item:
    return Item(
        id=row.pk,
        subject=notice.subject,
        title=notice.title,
        text=notice.text,
        url=ports.as_sent(row.url or notice.url),
        buttons=() if settled else tuple((one["label"], one["value"], one["style"]) for one in notice.buttons),
    )
