"""What is over is told by nobody: neither by a watcher that stalled, nor where runs are stored together."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from foundation.clock import now
from monitoring.models import Alert, AlertMember, Norm, RecoveryAttempt, RunHealth
from monitoring.watch import completed, sweep
from monitoring.watch.judge import judge
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from tests.monitoring.recovery.scenes import blocked, go_on
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]


def in_alerts(run: Run) -> int:
    return AlertMember.objects.filter(run_id=run.pk, left_at=None).count()


@pytest.mark.both_databases
def test_a_watcher_that_stalled_tells_nothing_that_another_has_judged_later(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ZEN_RECOVERY = "on"
    run = blocked(peer)
    begun: list[Any] = []

    def stalls(run_ids: Any, away: Any, **more: Any) -> Any:
        found = judge(run_ids, away, **more)
        if not begun:
            begun.append(found)
            sweep.sweep(at_once=True)  # another has its turn meanwhile
            assert in_alerts(run) == 1
            act(workflow_id=run.workflow_id, verb=Verb.SKIP, actor=ADA, step_id="b", note="-")
            go_on()
            sweep.sweep(at_once=True)
        return found

    monkeypatch.setattr(sweep, "judge", stalls)
    sweep.sweep(at_once=True)
    assert in_alerts(run) == 0 and Alert.objects.get().members == 0
    assert RunHealth.objects.get(pk=run.pk).ended
    assert not RecoveryAttempt.objects.filter(state__in=RecoveryAttempt.OPEN).exists()


@pytest.mark.both_databases
def test_a_later_version_is_stored_though_it_was_looked_at_earlier(peer: Peer) -> None:
    run = blocked(peer)
    sweep.sweep(at_once=True)
    RunHealth.objects.filter(pk=run.pk).update(version=0, status="healthy", checked_at=now().replace(year=2999))
    sweep.judge_and_store([run.pk])
    assert RunHealth.objects.get(pk=run.pk).status == "critical"


@pytest.mark.both_databases
def test_a_run_that_completes_after_trouble_leaves_its_alert(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completed, "ONE_IN", 10**9)  # so that it is not the one that is left for learning
    Norm.objects.create(saga_id="contract", n=500, updated_at=now())  # so much is known that runs are stored together
    run = blocked(peer)
    sweep.sweep(at_once=True)
    assert in_alerts(run) == 1
    peer.say("/things/b", 200)
    act(workflow_id=run.workflow_id, verb=Verb.RETRY, actor=ADA, step_id="b", note="-")
    go_on()
    sweep.sweep(at_once=True)
    assert Run.objects.get(pk=run.pk).status == "completed" and RunHealth.objects.get(pk=run.pk).status == "healthy"
    assert in_alerts(run) == 0 and Alert.objects.get().members == 0
