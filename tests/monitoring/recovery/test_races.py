"""Whoever decides and acts at the same time, a run has one attempt and one act; what is not delivered is not judged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from foundation.clock import database_now, now
from foundation.db import statements
from monitoring.core.enums import RecoveryAction
from monitoring.core.policy import Mode
from monitoring.models import RecoveryAttempt
from monitoring.performing.tick import recover
from monitoring.recovery import records
from monitoring.recovery.decide import decide
from monitoring.recovery.policies import armed
from monitoring.recovery.publishing import set_mode
from monitoring.watch.judge import judge
from orchestration.models import Message, Run
from orchestration.runs import start_run
from tests.monitoring.recovery.scenes import ADMIN, attempts, blocked, calls, go_on, policy, tick, watch
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA, step

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.ZEN_RECOVERY = "on"


@pytest.mark.both_databases
def test_two_watchers_decide_one_attempt(peer: Peer) -> None:
    policy()
    run = blocked(peer)
    in_force = armed()
    found = [one.candidate for one in judge([run.pk], {}, armed=in_force)]

    def decided() -> None:
        try:
            with statements.writing():
                decide(found, in_force, database_now())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as watchers:
        for one in [watchers.submit(decided) for _ in range(2)]:
            one.result()
    assert attempts(run) == [("retry", "decided", 1)]


@pytest.mark.both_databases
def test_two_workers_act_once_and_within_the_budget(peer: Peer) -> None:
    policy(max_per_hour=2)
    runs = [blocked(peer) for _ in range(4)]
    watch()

    def acted() -> int:
        try:
            return recover()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as workers:
        done = sum(one.result() for one in [workers.submit(acted) for _ in range(3)])
    assert done == 2 == Message.objects.filter(message_id__startswith="recovery:").count()
    go_on()
    assert sorted(calls(run) for run in runs) == [1, 1, 2, 2]


def test_the_time_to_work_begins_with_the_delivery(peer: Peer) -> None:
    policy(verify_seconds=60)
    run = blocked(peer)
    watch()
    assert recover() == 1
    attempt = RecoveryAttempt.objects.get()
    early = now() - timedelta(seconds=300)
    RecoveryAttempt.objects.update(acted_at=early, verify_until=early + timedelta(seconds=60))
    Message.objects.filter(run=run).update(delivered_at=None)  # as while its engine is away
    tick()
    attempt.refresh_from_db()
    assert attempt.state == "watching" and attempt.verify_until is not None and attempt.verify_until > now()
    for _ in range(5):  # however often it was asked for meanwhile
        tick()
    attempt.refresh_from_db()
    assert attempt.verify_until - now() <= timedelta(seconds=60)
    Message.objects.filter(run=run).update(delivered_at=now(), refusal="the run has ended")
    tick()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.verdict) == ("refused", "the run has ended")


class Killed(BaseException):
    """As by kill -9: nothing after it is done."""


def killed_after_the_act(patched: pytest.MonkeyPatch) -> None:
    """A worker that has acted dies before it can say so."""
    move = records.move

    def dies(attempt: RecoveryAttempt, state: str, *given: Any, **more: Any) -> bool:
        if state == RecoveryAttempt.WATCHING:
            raise Killed
        return move(attempt, state, *given, **more)

    with patched.context() as patch:
        patch.setattr(records, "move", dies)
        with pytest.raises(Killed):
            recover()


@pytest.mark.both_databases
def test_a_restart_whose_worker_died_is_finished_and_counts(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(RecoveryAction.RESTART, conditions={"status": {"==": "rolled_back"}}, max_recovery_attempts=2)
    peer.say("/things/b", 402)
    run, _ = start_run(
        definition={"saga_id": "s", "context": {"base": peer.url}, "steps": [step("a"), step("b", retry_count=0)]},
        actor=ADA, engine="celery",
    )  # fmt: skip
    go_on()
    watch()
    killed_after_the_act(monkeypatch)
    go_on()
    watch()  # the new run has failed before anybody knows whose it is
    first, second = RecoveryAttempt.objects.order_by("pk")
    assert second.run.workflow_id == f"{run.workflow_id}~r{first.pk}"
    assert (second.chain, second.number) == (first.chain, 2)
    set_mode("mend", Mode.OFF, actor=ADMIN)
    RecoveryAttempt.objects.filter(pk=first.pk).update(lease_until=now() - timedelta(seconds=1))
    recover()
    first.refresh_from_db()
    assert (first.state, first.new_workflow_id) == ("watching", second.run.workflow_id)
    assert Run.objects.count() == 2
