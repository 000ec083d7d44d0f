"""A saga that fails or falls silent is one alert, by what was measured; a heartbeat says that somebody watches."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from foundation.clock import now
from foundation.db import statements
from foundation.telemetry import Values
from monitoring.metrics.store import statements_for
from monitoring.models import Alert, Loop
from monitoring.watch import loops
from monitoring.watch.seldom import heartbeat, sagas
from tests.monitoring.alerting.test_alerts import later
from tests.support.peer import Peer

pytestmark = [pytest.mark.django_db(transaction=True)]


def ended(status: str, count: float, ago: timedelta = timedelta(0)) -> None:
    labels = (("cause", ""), ("engine", "celery"), ("kind", "saga"), ("saga_id", "order"), ("status", status))
    statements.run(*statements_for({("zen_runs_ended_total", labels): Values(count=count)}, now() - ago))


def started(ago: timedelta) -> None:
    labels = (("engine", "celery"), ("kind", "saga"), ("saga_id", "order"))
    statements.run(*statements_for({("zen_runs_started_total", labels): Values(count=1)}, now() - ago))


def look() -> None:
    Loop.objects.filter(name=loops.SAGAS).update(at=None)
    sagas.look()


def test_a_failing_saga_is_one_alert_until_it_fails_less() -> None:
    ended("completed", 6)
    ended("rolled_back", 4)
    look()
    look()
    alert = Alert.objects.get(rule__name="saga_failing")
    assert alert.sentence.startswith("4 of 10 runs of order") and alert.labels["saga_id"] == "order"
    ended("completed", 100)
    later(200)
    look()
    assert Alert.objects.get().state == "resolved"


def test_a_saga_that_is_started_no_more_is_an_alert() -> None:
    for hour in range(7, 169):
        started(timedelta(hours=hour))
    look()
    alert = Alert.objects.get(rule__name="saga_silent")
    assert "no run of order was started for" in alert.sentence
    started(timedelta(0))
    later(200)
    look()
    assert Alert.objects.get().state == "resolved"


def test_the_heartbeat_is_called_while_somebody_watches(peer: Peer, settings: Settings) -> None:
    settings.ZEN_HEARTBEAT_URL = f"{peer.url}/alive"
    peer.say("/alive", 200)
    heartbeat.beat()
    assert peer.methods("GET") == []  # nobody watches
    loops.held(loops.WATCH, timedelta(0))
    Loop.objects.filter(name=loops.WATCH).update(at=now())
    heartbeat.beat()
    heartbeat.beat()
    assert peer.methods("GET") == ["/alive"]
    Loop.objects.filter(name=loops.HEARTBEAT).update(at=None)
    peer.say("/alive", 503)
    heartbeat.beat()
    assert Loop.objects.get(name=loops.HEARTBEAT).detail == {"error": "HTTP 503"}
