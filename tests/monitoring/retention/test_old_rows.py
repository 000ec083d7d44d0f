"""Alerts, attempts of recovery and notices go by their own age; what is open, firing or on its way stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from foundation.clock import now
from foundation.models import AuditEvent
from monitoring.models import Alert, AlertMember, AlertNote, AlertRule, RecoveryAttempt
from monitoring.retention import old_rows
from notifications.models import Delivery, Notice
from tests.approvals.scenes import asked
from tests.monitoring.retention.scenes import ended, pruned
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)


def days_ago(days: float) -> datetime:
    return now() - timedelta(days=days)


def alert(name: str, *, opened: float, resolved: float | None) -> Alert:
    rule, _ = AlertRule.objects.get_or_create(name="r", severity="warning")
    found = Alert.objects.create(
        rule=rule, fingerprint=name, severity="warning", title=name, sentence="s", opened_at=days_ago(opened),
        last_seen_at=days_ago(0), state=Alert.FIRING if resolved is None else Alert.RESOLVED,
        resolved_at=None if resolved is None else days_ago(resolved),
    )  # fmt: skip
    AlertMember.objects.create(alert=found, run_id=1, code="c", joined_at=now())
    AlertNote.objects.create(alert=found, at=now(), kind="opened")
    return found


def notice(subject: str, days: float, *statuses: str, **more: Any) -> Notice:
    found = Notice.objects.create(
        subject=subject, kind="k", title="t", dedupe=f"{subject}:{days}:{Notice.objects.count()}",
        created_at=days_ago(days),
    )  # fmt: skip
    for number, status in enumerate(statuses):
        Delivery.objects.create(
            notice=found, status=status, person_key=f"p{number}", due_at=now(), created_at=days_ago(days), **more
        )
    return found


def test_alerts_go_400_days_after_they_were_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.retention.pruning.LOOKED_AT", 2)
    alert("gone", opened=500, resolved=401), alert("firing", opened=900, resolved=None)
    alert("recent", opened=500, resolved=399), alert("young", opened=3, resolved=1)
    pruned()
    assert set(Alert.objects.values_list("title", flat=True)) == {"firing", "recent", "young"}
    assert AlertMember.objects.count() == AlertNote.objects.count() == 3
    told = AuditEvent.objects.get(action="prune.rows")
    assert told.data["rows"]["monitoring_alert"] == 1


def test_attempts_of_recovery_go_with_their_run_or_by_their_age() -> None:
    run = ended("o-1")
    for days, state in ((401, "worked"), (401, "watching"), (399, "failed")):
        RecoveryAttempt.objects.create(
            run=run, chain=run.pk, action="retry", actor="a", state=state, decided_at=days_ago(days), number=1
        )
    pruned()
    assert set(RecoveryAttempt.objects.values_list("state", flat=True)) == {"watching", "failed"}


def test_notices_go_after_90_days_but_for_those_that_are_changed_later() -> None:
    account("bob")
    request = asked(approvers=["bob"])
    Notice.objects.all().delete()
    firing, over = alert("firing", opened=200, resolved=None), alert("over", opened=200, resolved=150)
    kept = [
        notice("test", 89, "sent"), notice("test", 100, "sent", "queued"),
        notice(f"approval:{request.pk}", 100, "sent"), notice(f"alert:{firing.pk}", 100, "sent"),
    ]  # fmt: skip
    gone = [notice("test", 91, "sent", "dead"), notice(f"alert:{over.pk}", 100, "sent"), notice("approval:x", 100)]
    carrier = notice("digest", 100, "sent")
    notice(f"approval:{request.pk}", 100, "coalesced", into=carrier.deliveries.get())
    pruned()
    there = set(Notice.objects.values_list("pk", flat=True))
    assert {one.pk for one in kept} | {carrier.pk} <= there and not {one.pk for one in gone} & there
    request.status = "approved"
    request.save(update_fields=["status"])
    pruned()
    assert carrier.pk not in set(Notice.objects.values_list("pk", flat=True))


def test_a_page_is_read_and_no_more() -> None:
    for days in (300, 200, 100, 50):
        notice("test", days)
    assert old_rows.old_notices(days_ago(90), 0, 2)[1] != 0
    found, after = old_rows.old_notices(days_ago(90), 0, 10)
    assert (len(found), after) == (3, 0)
