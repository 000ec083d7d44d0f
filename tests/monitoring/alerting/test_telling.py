"""Alerts that are held open keep no other from closing, and are told as such."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foundation.clock import now
from monitoring.alerting import telling
from monitoring.models import Alert, AlertMember
from notifications.models import Notice
from tests.monitoring.alerting.test_alerts import failed, later, operator

pytestmark = [pytest.mark.django_db(transaction=True)]
__all__ = ["operator"]


def test_many_that_are_held_open_keep_no_other_from_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MOST_AT_ONCE", 2)
    failed()
    AlertMember.objects.update(left_at=now())
    Alert.objects.update(members=0, last_seen_at=now() - timedelta(seconds=100))
    over = Alert.objects.get()
    for number in range(4):
        Alert.objects.create(
            rule=over.rule, fingerprint=f"held-{number}", severity="warning", title="held", sentence="held",
            opened_at=now(), last_seen_at=now(), flapping=number % 2 == 0,
        )  # fmt: skip
    telling.tell_and_close()
    assert list(Alert.objects.filter(state="resolved")) == [over]
    assert Alert.objects.filter(state="firing").count() == 4


def test_what_opens_again_and_again_is_told_as_that() -> None:
    for _ in range(4):
        AlertMember.objects.update(left_at=now())
        Alert.objects.update(members=0, state="resolved")
        failed()
    later(31)
    telling.tell_and_close()
    assert "It opens again and again (4 times within an hour)" in Notice.objects.get(kind="alert.firing").text
