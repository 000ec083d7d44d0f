"""What people were told before: asked once for all of them, however many a notice is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max

from notifications.models import Delivery, Notice
from notifications.routing.recipients import Reached

Lane = tuple[str, int | None]
"""A person's key, and a channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """`told`: of this subject, how often, by person; nothing where that does not count. `sending` and `sent`: what has
    just gone their way, and when.
    """

    told: Mapping[str, int]
    sending: frozenset[Lane]
    sent: Mapping[Lane, datetime]

    @classmethod
    def of(cls, notice: Notice, to: Sequence[Reached], at: datetime, *, capped: bool) -> Past:
        keys = [one.person.key for one in to]
        recent = _recent(keys, at) if keys and not notice.urgent and window() else []
        return cls(
            told=_told(notice, keys) if keys and capped else {},
            sending=frozenset((key, channel) for key, channel, status, _ in recent if status == Delivery.SENDING),
            sent={(key, channel): last for key, channel, status, last in recent if status == Delivery.SENT},
        )

    def after_burst(self, row: Delivery, at: datetime) -> datetime:
        """A person who was just told gets the next messages together, once the burst is over."""
        lane = (row.person_key, row.channel_id)
        if row.channel_id is None:
            return at
        if lane in self.sending:
            return at + window()
        return self.sent[lane] + window() if lane in self.sent else at


def window() -> timedelta:
    return timedelta(seconds=settings.ZEN_NOTIFY_COALESCE_SECONDS)


def _told(notice: Notice, keys: Sequence[str]) -> dict[str, int]:
    """Notices, and not messages: one on two channels is told once."""
    notices = Notice.objects.filter(subject=notice.subject)
    told = Delivery.objects.filter(notice__in=notices, person_key__in=keys, updates=None)
    counted = told.exclude(status=Delivery.CANCELLED).order_by().values("person_key")
    return dict(counted.annotate(times=Count("notice", distinct=True)).values_list("person_key", "times"))


def _recent(keys: Sequence[str], at: datetime) -> list[tuple[str, int | None, str, datetime]]:
    """Two halves and no OR, so that each is found in the index, whatever else was ever sent to these people."""
    alike = Delivery.objects.filter(person_key__in=keys, updates=None, urgent=False).order_by()
    lanes = alike.values("person_key", "channel", "status").annotate(last=Max("sent_at"))
    rows = lanes.values_list("person_key", "channel", "status", "last")
    sent = rows.filter(status=Delivery.SENT, sent_at__gt=at - window())
    return list(rows.filter(status=Delivery.SENDING).union(sent, all=True))
