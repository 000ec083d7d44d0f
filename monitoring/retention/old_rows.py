"""Rows that go by their own age: alerts and attempts of recovery that are over, notices that nobody changes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from approvals.core.enums import OPEN
from approvals.models import Request
from approvals.models.request import subject_of
from foundation.db import statements
from monitoring.alerting.telling import subject_of as subject_of_alert
from monitoring.models import Alert, RecoveryAttempt
from notifications.models import Delivery, Notice

UNENDED = ("queued", "sending")


Page = tuple[list[int], int]
"""Numbers of rows that go, and the number behind which to go on; 0: that was all of them."""


def old_alerts(until: datetime, after: int, most: int) -> Page:
    """Of the next `most` alerts behind the number `after`: those that were over by then."""
    rows = list(
        Alert.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "opened_at", "state", "resolved_at")[:most]
    )
    old = [row for row in rows if row[1] <= until]
    found = [pk for pk, _, state, over in old if state == Alert.RESOLVED and over is not None and over <= until]
    return found, rows[-1][0] if len(old) == most else 0


def delete_alerts(ids: list[int]) -> Counter[str]:
    """Delete these with their members and notes; one that fires again stays."""
    with statements.writing():
        _, by_model = Alert.objects.filter(pk__in=ids, state=Alert.RESOLVED).delete()
    return _by_table(by_model)


def old_attempts(until: datetime, after: int, most: int) -> Page:
    """The same of attempts of recovery, of runs that are kept for longer."""
    rows = list(
        RecoveryAttempt.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "decided_at", "state")[:most]
    )
    old = [row for row in rows if row[1] <= until]
    return [pk for pk, _, state in old if state in RecoveryAttempt.ENDS], rows[-1][0] if len(old) == most else 0


def delete_attempts(ids: list[int]) -> Counter[str]:
    """Delete these, if they have ended."""
    with statements.writing():
        _, by_model = RecoveryAttempt.objects.filter(pk__in=ids, state__in=RecoveryAttempt.ENDS).delete()
    return _by_table(by_model)


def old_notices(until: datetime, after: int, most: int) -> Page:
    """The same of notices: those of then whose deliveries have ended, and that are about nothing that is still open."""
    rows = list(Notice.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "created_at", "subject")[:most])
    old = [row for row in rows if row[1] <= until]
    still_open = _open({subject for _, _, subject in old})
    found = {pk for pk, _, subject in old if subject not in still_open}
    found -= set(Delivery.objects.filter(notice_id__in=found, status__in=UNENDED).values_list("notice_id", flat=True))
    carrying = Delivery.objects.filter(into__notice_id__in=found).exclude(notice_id__in=found)
    found -= set(carrying.values_list("into__notice_id", flat=True))
    return sorted(found), rows[-1][0] if len(old) == most else 0


def delete_notices(ids: list[int]) -> Counter[str]:
    """Delete these with their deliveries."""
    with statements.writing():
        _, by_model = Notice.objects.filter(pk__in=ids).delete()
    return _by_table(by_model)


def _open(subjects: set[str]) -> set[str]:
    """Those about an approval that is not decided, or an alert that fires: their messages are changed at its end."""
    numbers: dict[str, list[int]] = {"approval": [], "alert": []}
    for subject in subjects:
        word, _, number = subject.partition(":")
        if word in numbers and number.isdecimal():
            numbers[word].append(int(number))
    requests = Request.objects.filter(pk__in=numbers["approval"], status__in=OPEN).only("pk")
    alerts = Alert.objects.filter(pk__in=numbers["alert"], state=Alert.FIRING).only("pk")
    return {subject_of(one) for one in requests} | {subject_of_alert(one) for one in alerts}


def _by_table(by_model: dict[str, int]) -> Counter[str]:
    return Counter({label.replace(".", "_").lower(): count for label, count in by_model.items()})
