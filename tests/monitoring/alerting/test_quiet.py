"""An alert is quiet as long as a silence matches the labels that it has then, and is told once more after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foundation.clock import now
from monitoring.alerting import acts, silences
from monitoring.alerting.site import follow
from monitoring.alerting.telling import tell_and_close
from monitoring.core.enums import HealthStatus
from monitoring.core.health import Issue, Recommendation
from monitoring.models import Alert, Silence
from tests.monitoring.alerting.test_alerts import failed, later, operator, told
from tests.support.moments import over
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
__all__ = ["operator"]


def silence(hours: float = 1, *, while_firing: bool = False, **matchers: str) -> Silence:
    ends_at = now() + timedelta(hours=hours)
    return silences.silence(matchers=matchers, reason="known", ends_at=ends_at, actor=ADA, while_firing=while_firing)


def test_what_another_silence_matches_stays_quiet() -> None:
    failed()
    short, long = silence(rule="run_failed"), silence(8, rule="run_failed")
    assert Alert.objects.get().silence == long  # until then it is quiet
    third = silence(2, while_firing=True, target="not-there")
    silences.end_silence(long.pk, actor=ADA)
    later(31)
    tell_and_close()
    assert told() == 0 and Alert.objects.get().silence == third
    Silence.objects.filter(pk=third.pk).update(ends_at=over())
    tell_and_close()
    assert told() == 0 and Alert.objects.get().silence == short
    silences.end_silence(short.pk, actor=ADA)
    assert tell_and_close() == 1


def test_a_silence_of_one_saga_is_none_of_the_others() -> None:
    failed(saga_id="order")
    silence(saga_id="order")
    failed(saga_id="other")
    later(31)
    tell_and_close()
    assert told() == 1 and Alert.objects.get().silence is None
    assert Alert.objects.get().labels["saga_id"] == ""


def test_a_silence_of_warnings_is_none_of_what_got_worse() -> None:
    def behind(severity: HealthStatus) -> None:
        one = Issue(
            code="queue_behind", severity=severity, sentence="the queue is behind", target="queue:default",
            since=now() - timedelta(seconds=60), act=Recommendation(text="start a worker"),
        )  # fmt: skip
        follow([one], now())

    behind(HealthStatus.WARNING)
    silence(severity="warning")
    later(31)
    behind(HealthStatus.WARNING)
    assert tell_and_close() == 0
    behind(HealthStatus.CRITICAL)
    assert tell_and_close() == 1 and Alert.objects.get().labels["severity"] == "critical"


def test_what_is_still_so_after_a_silence_is_told_once_more_unless_somebody_is_on_it() -> None:
    failed()
    later(31)
    assert tell_and_close() == 1
    made = silence(rule="run_failed")
    later(600)
    silences.end_silence(made.pk, actor=ADA)
    assert tell_and_close() == 1 and tell_and_close() == 0
    later(600)
    acts.acknowledge(Alert.objects.get().pk, actor=ADA)
    made = silence(rule="run_failed")
    silences.end_silence(made.pk, actor=ADA)
    assert tell_and_close() == 0 and told() == 2
