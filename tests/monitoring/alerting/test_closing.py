"""An alert that a run joins at the moment in which it is closed is not lost, whoever was first."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.clock import now
from monitoring.alerting import grouping, telling
from monitoring.alerting.opening import firing
from monitoring.models import Alert, AlertMember
from monitoring.watch import sweep
from orchestration.models import Run
from tests.monitoring.watch.test_sweep import BAD, begun, step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def failed() -> Run:
    return begun(step("pay", BAD), saga_id="order")


def quiet() -> Alert:
    """The alert of a run that has left it."""
    failed()
    sweep.sweep(at_once=True)
    AlertMember.objects.update(left_at=now())
    Alert.objects.update(members=0)
    return Alert.objects.get()


def firing_members() -> list[int]:
    found = AlertMember.objects.filter(left_at=None, alert__state="firing")
    return list(found.values_list("run_id", flat=True))


def test_who_looked_before_it_joined_closes_nothing() -> None:
    alert = quiet()
    run = failed()
    sweep.sweep(at_once=True)
    assert not telling.close(alert, now(), unseen=True)
    assert firing_members() == [run.pk]


def test_what_was_closed_before_it_joined_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    alert = quiet()
    run = failed()

    def closed_meanwhile(*given: Any) -> dict[str, Alert]:
        found = firing(*given)
        telling.close(alert, now())
        return found

    monkeypatch.setattr(grouping, "firing", closed_meanwhile)
    sweep.sweep(at_once=True)
    assert firing_members() == [run.pk]
    assert sorted(Alert.objects.values_list("state", "members")) == [("firing", 1), ("resolved", 0)]
