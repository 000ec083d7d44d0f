"""With all workers killed one alert says so, whoever looks; it closes once a worker is there again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foundation.clock import now
from monitoring.console.show import sentence
from monitoring.dashboard import dashboard, forget
from monitoring.models import Alert, Loop
from monitoring.watch import loops
from orchestration.models import Command, Run, Worker
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step
from tests.system.crash.workers import worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RUNS = 12


def firing() -> list[str]:
    """What the dashboard, asked with nobody else alive, has opened; nothing of this machine's disks."""
    forget()
    Loop.objects.filter(name=loops.SITE).update(at=None)
    found = dashboard()
    assert sentence(found["summary"])
    names = [alert["rule"] for alert in found["alerts"] if not alert["inhibited_by"]]
    return [name for name in names if name not in ("disk_low", "monitoring_behind")]


def test_killed_workers_are_one_alert(worker_env: dict[str, str], peer: Peer) -> None:
    peer.hold("POST", "/things/a")
    with worker(worker_env) as one:
        runs = [start(peer, "celery", step("a", timeout_seconds=300)) for _ in range(RUNS)]
        wait_until(lambda: peer.held("POST", "/things/a") >= 4, lambda: "held")
        one.kill()
    wait_until(lambda: not Worker.objects.filter(lease_until__gt=now()).exists(), lambda: "leases end")
    wait_until(lambda: "no_worker" in firing(), lambda: str(firing()), pause=1)
    alert = Alert.objects.get(rule__name="no_worker")
    assert f"{RUNS} steps wait" in alert.sentence and "start one: celery -A zen_project worker -B" in alert.sentence
    assert firing() == ["no_worker"] and Command.objects.exclude(status=Command.DONE).count() >= RUNS
    peer.let_go()
    with worker(worker_env):
        for run in runs:
            until(run)
        Alert.objects.update(last_seen_at=alert.opened_at - timedelta(hours=1))
        wait_until(lambda: Alert.objects.get(pk=alert.pk).state == "resolved", lambda: alert.sentence, pause=0.5)
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}
