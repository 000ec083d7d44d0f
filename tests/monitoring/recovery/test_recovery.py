"""A policy mends a run, proves that it did, and stops where it may not go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from foundation import telemetry
from foundation.clock import now
from foundation.models import AuditEvent
from monitoring.core.enums import RecoveryAction
from monitoring.models import PolicyVersion, RecoveryAttempt, RunHealth
from monitoring.performing import acts
from monitoring.performing.tick import recover
from monitoring.recovery import records
from monitoring.recovery.policies import policies
from monitoring.run_page import HEALTH
from monitoring.watch import round as rounds
from orchestration.core.enums import Verb
from orchestration.models import Message, Run
from orchestration.runs import act, start_run
from tests.monitoring.recovery import scenes
from tests.monitoring.recovery.scenes import attempts, blocked, calls, on, policy, tick, watch
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA, step

pytestmark = [pytest.mark.django_db(transaction=True)]
A = RecoveryAction


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.ZEN_RECOVERY = "on"


def codes(run: Run) -> set[str]:
    return {issue["code"] for issue in RunHealth.objects.get(pk=run.pk).issues}


@pytest.mark.both_databases
def test_a_blocked_step_is_retried_and_the_attempt_has_worked_once_the_run_has_gone_on(peer: Peer) -> None:
    policy()
    run = blocked(peer)
    watch()
    assert attempts(run) == [("retry", "decided", 1)]
    peer.say("/things/b", 200)
    assert tick() == 1
    assert attempts(run) == [("retry", "watching", 1)]
    tick()
    found = RecoveryAttempt.objects.get(run=run)
    assert (found.state, found.verdict) == ("worked", "the trouble is gone, and the run goes on")
    run.refresh_from_db()
    assert run.status == "completed"
    rows = AuditEvent.objects.filter(workflow_id=run.workflow_id).order_by("seq").values_list("action", "actor", "door")
    mine = ("recovery:mend", "engine")
    assert list(rows)[1:] == [
        ("recovery.decided", *mine), ("recovery.acting", *mine), ("run.retry", *mine), ("recovery.watching", *mine),
        ("recovery.worked", *mine),
    ]  # fmt: skip
    assert Message.objects.filter(message_id=f"recovery:{found.pk}").count() == 1
    counted = {dict(labels)["state"] for name, labels in telemetry.take() if name == "zen_recovery_attempts_total"}
    assert counted == {"decided", "acting", "watching", "worked"}


def test_what_was_stuck_before_zen_brought_a_policy_is_left_to_people_until_one_publishes_it(peer: Peer) -> None:
    policies()
    run = blocked(peer)
    PolicyVersion.objects.update(published_at=now() + timedelta(seconds=60))
    watch()
    assert attempts(run) == []
    page = HEALTH.on_page(run)
    why = "it came with Zen later than this trouble, which is left to people (recovery publish lets it act)"
    assert page is not None and page.recovery == [f"blocked-transient: {why}"]
    PolicyVersion.objects.update(published_at=now() - timedelta(seconds=60))
    RunHealth.objects.all().delete()
    rounds.walk_once()
    assert attempts(run) == [("retry", "decided", 1)]


@pytest.mark.both_databases
def test_it_tries_again_as_often_as_it_may_and_then_says_so(peer: Peer) -> None:
    policy(A.RETRY, A.ESCALATE)
    run = blocked(peer, 422)
    on(rounds=8)
    assert attempts(run) == [("retry", "failed", n) for n in (1, 2, 3)] + [("escalate", "worked", 0)]
    assert calls(run) == 4
    said = {issue["code"]: issue["sentence"] for issue in RunHealth.objects.get(pk=run.pk).issues}
    assert said["looping"] == "recovery retried 'b' 3 times and it fails each time (HTTP 422 from 127.0.0.1)"
    assert said["recovery_exhausted"].startswith("recovery is at its end: mend has tried all that it may")
    on(rounds=3)
    assert calls(run) == 4 and len(attempts(run)) == 4


def test_the_undo_that_failed_is_retried(peer: Peer) -> None:
    policy()
    run = scenes.undo_failed(peer)
    watch()
    peer.say("/undo/a", 200)
    on(rounds=2)
    run.refresh_from_db()
    assert run.status == "rolled_back" and attempts(run) == [("retry", "worked", 1)]


def test_a_person_s_act_ends_an_attempt(peer: Peer) -> None:
    policy()
    run = blocked(peer)
    watch()
    act(workflow_id=run.workflow_id, verb=Verb.RETRY, actor=ADA, step_id="b")
    assert recover() == 1  # it is not the watch alone that sees it
    found = RecoveryAttempt.objects.get()
    assert (found.state, found.verdict) == ("overtaken", "ada: retry")
    scenes.go_on()
    watch()
    assert attempts(run) == [("retry", "overtaken", 1), ("retry", "decided", 1)]  # it has spent nothing


def test_a_person_s_hold_survives_every_policy(peer: Peer) -> None:
    policy(A.RETRY, A.CANCEL, A.RESUME, max_recovery_attempts=3, conditions={"state_seconds": {">=": 0}})
    run, _ = start_run(
        definition={"saga_id": "s", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 900}}]},
        actor=ADA, engine="celery",
    )  # fmt: skip
    act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA, note="wrong price")
    on()
    run.refresh_from_db()
    assert run.status == "held" and attempts(run) == []


@pytest.mark.both_databases
def test_a_worker_that_dies_between_deciding_and_acting_leaves_one_act(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy()
    run = blocked(peer)
    watch()
    with monkeypatch.context() as patched:
        patched.setattr(records, "move", _dies_before_watching(records.move))
        recover()
    assert attempts(run) == [("retry", "acting", 1)] and Message.objects.filter(run=run).count() == 1
    assert recover() == 0  # its lease lasts
    RecoveryAttempt.objects.update(lease_until=now() - timedelta(seconds=1))
    assert recover() == 1
    assert attempts(run) == [("retry", "watching", 1)]
    assert Message.objects.filter(run=run).count() == 1
    scenes.go_on()
    assert calls(run) == 2


def _dies_before_watching(move: object) -> object:
    def moved(attempt: RecoveryAttempt, state: str, *rest: object, **more: object) -> object:
        if state == RecoveryAttempt.WATCHING:
            raise KeyError("killed")
        return move(attempt, state, *rest, **more)  # type: ignore[operator]

    return moved


def test_a_run_that_has_moved_on_since_it_was_looked_at_is_looked_at_again(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy()
    run = blocked(peer)
    watch()
    with monkeypatch.context() as patched:
        do = acts.do

        def late(attempt: RecoveryAttempt, place: int, *, if_version: int | None = None) -> Run | None:
            Run.objects.filter(pk=run.pk).update(version=run.version + 1)
            return do(attempt, place, if_version=if_version)

        patched.setattr(acts, "do", late)
        recover()
    Run.objects.filter(pk=run.pk).update(version=run.version)
    assert attempts(run) == [("retry", "acting", 1)] and calls(run) == 1
    recover()
    assert attempts(run) == [("retry", "watching", 1)]


def test_a_shadow_only_writes_down_what_it_would_do(peer: Peer) -> None:
    policy(A.RETRY, A.ESCALATE, mode="shadow", cooldown_seconds=60)
    run = blocked(peer)
    on()
    assert attempts(run) == [("retry", "shadow", 1)] and calls(run) == 1


def test_a_lost_timer_is_set_again(peer: Peer) -> None:
    policy(A.WAKE, conditions={"issue": {"==": "timer_overdue"}})
    run, _ = start_run(
        definition={"saga_id": "s", "steps": [{"step_id": "cool", "forward_action": {"type": "wait", "seconds": 1}}]},
        actor=ADA, engine="celery",
    )  # fmt: skip
    early = now() - timedelta(seconds=40)
    run.commands.filter(kind="start_timer").update(status="done", due_at=early)
    run.events.update(at=early)
    scenes.go_on()
    on(rounds=2)
    run.refresh_from_db()
    assert run.status == "completed" and attempts(run) == [("wake", "worked", 1)]


def test_what_may_have_been_done_is_not_repeated_by_itself(settings: Settings, peer: Peer) -> None:
    settings.ZEN_TASKS = {"raises": "tests.monitoring.recovery.test_recovery.raises"}
    policy(A.RETRY, A.ESCALATE, conditions={"status": {"==": "held"}})
    steps = [
        step("a", pivot=True),
        {
            "step_id": "b",
            "dependencies": ["a"],
            "retry_count": 0,
            "forward_action": {"type": "task", "handler": "raises"},
        },
    ]
    run, _ = start_run(
        definition={"saga_id": "s", "context": {"base": peer.url}, "steps": steps}, actor=ADA, engine="celery"
    )
    scenes.go_on()
    on()
    assert attempts(run) == [("escalate", "worked", 0)] and calls(run) == 1 and "outcome_unknown" in codes(run)


def raises(call: object) -> object:
    raise RuntimeError("no idea")
