"""The last message about a subject that is settled."""

from __future__ import annotations

from collections.abc import Sequence

from notifications.models import Delivery, Notice

SETTLED = "settled"


def settlements(rows: Sequence[Delivery]) -> dict[int, Notice]:
    """Delivery → the last notice that settled its subject after it was told; no entry while it is open."""
    subjects = {row.notice.subject for row in rows}
    found = Notice.objects.filter(kind=SETTLED, subject__in=subjects).order_by("id")
    last = {notice.subject: notice for notice in found}
    ends = ((row.pk, row.notice_id, last.get(row.notice.subject)) for row in rows)
    return {pk: notice for pk, told, notice in ends if notice is not None and notice.pk > told}
