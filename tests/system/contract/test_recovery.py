"""Recovery is the same on every engine: what it does is an act like a person's."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from monitoring.core.enums import RecoveryAction
from monitoring.models import RecoveryAttempt
from monitoring.performing.by_hand import trigger
from monitoring.performing.tick import recover
from monitoring.watch import sweep
from orchestration.models import Message, Run
from tests.monitoring.recovery.scenes import policy
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.ZEN_RECOVERY = "on"


def ended(run: Run) -> bool:
    """Passes of the watch and of recovery, until the attempt has its verdict."""
    sweep.sweep(at_once=True)
    recover()
    return RecoveryAttempt.objects.filter(run=run, ended_at__isnull=False).exists()


def test_a_step_that_blocks_is_retried_once_and_has_worked(engine: str, peer: Peer) -> None:
    policy()
    peer.say("/things/b", 402)
    run = until(start(peer, engine, step("a", pivot=True), step("b", retry_count=0)), lambda r: r.status == "held")
    peer.say("/things/b", 200)
    wait_until(lambda: ended(run), "the verdict")
    attempt = RecoveryAttempt.objects.get()
    assert (attempt.action, attempt.state, attempt.number) == ("retry", "worked", 1)
    assert until(run, lambda r: r.status == "completed")
    assert Message.objects.get(message_id=f"recovery:{attempt.pk}").delivered_at is not None
    assert run.events.get(kind="act.retry").data["by"] == "recovery:mend"


def test_a_restart_by_hand_rolls_back_first(engine: str, peer: Peer) -> None:
    long = {"step_id": "w", "forward_action": {"type": "wait", "seconds": 300}, "dependencies": ["a"]}
    run = start(peer, engine, step("a"), long)
    until(run, lambda r: r.steps.filter(step_id="w", status="running").exists())
    found = trigger(run.workflow_id, "wrong input", RecoveryAction.RESTART, actor=ADA)
    assert found.success

    def restarted() -> bool:
        RecoveryAttempt.objects.filter(state="acting").update(lease_until=run.created_at)
        recover()
        return RecoveryAttempt.objects.exclude(new_workflow_id="").exists()

    wait_until(restarted, "the new run")
    run.refresh_from_db()
    assert run.status == "rolled_back"
    again = Run.objects.get(workflow_id=f"{run.workflow_id}~r{found.attempt_id}")
    assert again.engine == run.engine
