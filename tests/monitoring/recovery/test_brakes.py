"""Brakes put attempts off: budgets, circuits, storms; people agree first where the policy says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from approvals.models import Request
from foundation.clock import now
from monitoring.alerting.telling import tell_and_close
from monitoring.core.enums import RecoveryAction
from monitoring.models import Alert, Circuit, PolicyVersion, RecoveryAttempt, RunHealth, Storm
from monitoring.performing.tick import recover
from monitoring.queries.recovery import attempt_view
from orchestration.models import Run
from orchestration.runs import start_run
from tests.approvals.scenes import published
from tests.monitoring.recovery.scenes import attempts, blocked, calls, go_on, on, policy, tick, watch
from tests.support.moments import over
from tests.support.peer import Peer
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA, step

pytestmark = [pytest.mark.django_db(transaction=True)]
A = RecoveryAction


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.ZEN_RECOVERY = "on"


def states() -> list[str]:
    return sorted(RecoveryAttempt.objects.values_list("state", flat=True))


def waits(run: Run) -> str:
    return attempt_view(RecoveryAttempt.objects.select_related("run").get(run=run))["waits"] or ""


@pytest.mark.both_databases
def test_a_policy_s_budget_puts_off_and_says_until_when(peer: Peer) -> None:
    policy(max_per_hour=1)
    first, second = blocked(peer), blocked(peer)
    watch()
    assert recover() == 1
    recover()
    assert states() == ["decided", "watching"]
    assert waits(second).startswith("mend has acted 1 times within the hour; next at ")
    watch()
    codes = {issue["code"] for issue in RunHealth.objects.get(pk=second.pk).issues}
    assert "recovery_braked" in codes and Alert.objects.filter(rule__name="recovery_braked").count() == 1
    RecoveryAttempt.objects.filter(run=first).update(acted_at=over() - timedelta(hours=1))
    RecoveryAttempt.objects.filter(run=second).update(lease_until=over())
    assert recover() == 1


def test_the_site_s_budget_holds_for_all_policies_together(peer: Peer, settings: Settings) -> None:
    settings.ZEN_RECOVERY_PER_HOUR = 2
    policy()
    runs = [blocked(peer) for _ in range(4)]
    watch()
    recover()
    recover()
    assert states() == ["decided", "decided", "watching", "watching"]
    assert "on this site" in waits(runs[3])


def test_a_circuit_opens_where_an_action_does_not_help(peer: Peer) -> None:
    policy(cooldown_seconds=600)
    for _ in range(5):
        blocked(peer, 422)
    watch()
    tick()
    watch()
    circuit = Circuit.objects.get()
    assert circuit.key == "mend:127.0.0.1:retry" and circuit.open_until is not None
    late = blocked(peer, 422)
    watch()
    assert recover() == 0 and "failed too often lately" in waits(late)
    Circuit.objects.update(open_until=over())
    RecoveryAttempt.objects.filter(run=late).update(lease_until=over())
    assert recover() == 1 and Circuit.objects.get().trying


@pytest.mark.both_databases
def test_in_a_storm_one_is_tried_and_more_only_once_that_worked(peer: Peer) -> None:
    policy(max_per_hour=2)
    runs = [blocked(peer, 422) for _ in range(12)]  # a 503 would open the breaker of the route
    watch()
    assert Storm.objects.get().target == "127.0.0.1"
    assert recover() == 1 and recover() == 0
    go_on()
    assert waits(runs[5]) == f"4 before it at 127.0.0.1, one is tried at a time; next at {_next_at()}"
    watch()  # the canary has failed
    assert recover() == 0 and not Circuit.objects.exists()
    alert = Alert.objects.get(rule__name="target_failing")
    assert alert.members >= 10 and "recovery tries one at a time" in alert.sentence
    peer.say("/things/b", 200)
    sent = []
    for _ in range(6):
        Storm.objects.update(next_at=over())
        RecoveryAttempt.objects.filter(brake="cooldown").update(lease_until=over())
        sent.append(recover())
        go_on()
        RecoveryAttempt.objects.filter(state="watching").update(lease_until=over())
        recover()
    assert sent[:4] == [1, 2, 4, 5] and set(states()) == {"failed", "worked"}
    assert {run.status for run in Run.objects.all()} == {"completed"}
    Storm.objects.update(last_at=now() - timedelta(minutes=6))
    recover()
    assert not Storm.objects.exists()
    tell_and_close()


def _next_at() -> str:
    return f"{Storm.objects.get().next_at:%H:%M:%S}"


LONG: dict[str, Any] = {"step_id": "a", "forward_action": {"type": "wait", "seconds": 500}}
ANY = {"status": {"in": ["running", "waiting"]}}


def asked(*actions: RecoveryAction) -> tuple[Run, RecoveryAttempt]:
    """A run that a policy wants to abort, for which somebody is asked first."""
    for name in ("bob", "ann"):
        account(name)
    published({"policy": "standard", "stages": [{"name": "ok", "who": {"users": ["bob", "ann"]}}]})
    policy(*actions, conditions=ANY, needs_approval=[A.CANCEL, A.RESTART])
    run, _ = start_run(definition={"saga_id": "s", "steps": [LONG]}, actor=ADA, engine="celery")
    go_on()
    watch()
    tick()
    return run, RecoveryAttempt.objects.get()


def test_people_agree_before_a_run_is_cancelled() -> None:
    run, attempt = asked(A.CANCEL)
    request = Request.objects.get()
    assert (attempt.state, attempt.approval, request.request_id) == (
        "awaiting_approval", f"recovery.{attempt.pk}", f"recovery.{attempt.pk}",
    )  # fmt: skip
    assert request.about == run.workflow_id and request.content["action"]["action"] == "cancel"
    assert "nothing to undo" in request.content["description"]
    RecoveryAttempt.objects.update(lease_until=over())
    assert recover() == 0 and attempts(run) == [("cancel", "awaiting_approval", 1)]
    says("bob", "approve", request)
    RecoveryAttempt.objects.update(lease_until=over())
    assert recover() == 1
    go_on()
    on(rounds=1)
    run.refresh_from_db()
    assert (run.status, run.cause) == ("rolled_back", "cancelled")
    assert attempts(run) == [("cancel", "worked", 1)]


def test_a_no_ends_the_attempt_and_is_not_asked_again_at_once() -> None:
    run, attempt = asked(A.CANCEL)
    says("bob", "reject", Request.objects.get())
    RecoveryAttempt.objects.update(lease_until=over())
    recover()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.verdict) == ("rejected", f"recovery.{attempt.pk} is rejected")
    run.refresh_from_db()
    assert run.finished_at is None


def test_what_is_over_is_not_asked_any_more() -> None:
    run, attempt = asked(A.CANCEL)
    PolicyVersion.objects.update(current=False)
    RunHealth.objects.update(look_at=over())
    watch()
    attempt.refresh_from_db()
    assert (attempt.state, Request.objects.get().status) == ("overtaken", "withdrawn")
    run.refresh_from_db()
    assert run.finished_at is None


def test_the_publisher_of_a_policy_does_not_decide_for_it() -> None:
    from tests.system.contract.cast import actor

    ann = account("ann", "administrator")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.monitoring.recovery.scenes.ADMIN", actor(ann))
        asked(A.CANCEL)
    with pytest.raises(Exception, match="ann"):
        says("ann", "approve", Request.objects.get())


def test_a_chain_of_restarts_has_one_budget(peer: Peer) -> None:
    policy(A.RESTART, max_recovery_attempts=2, conditions={"issue": {"==": "ended_failed"}})
    peer.say("/things/a", 402)
    start_run(
        definition={"saga_id": "s", "context": {"base": peer.url}, "steps": [step("a")]}, actor=ADA, engine="celery"
    )
    go_on()
    on(rounds=10)
    assert [run.status for run in Run.objects.order_by("pk")] == ["rolled_back"] * 3
    first, second, third = Run.objects.order_by("pk")
    assert attempts(first) == [("restart", "failed", 1)] and attempts(second) == [("restart", "failed", 2)]
    assert attempts(third) == [("escalate", "worked", 0)]
    assert third.workflow_id.startswith(f"{second.workflow_id}~r") and calls(third, "a") == 1
    assert RecoveryAttempt.objects.filter(exhausted=True).count() == 1


def test_five_runs_in_a_row_that_a_policy_cannot_mend_put_it_into_shadow(peer: Peer) -> None:
    policy(max_recovery_attempts=1)
    for _ in range(4):
        blocked(peer, 422)
    on(rounds=4)
    assert PolicyVersion.objects.get(policy_id="mend", current=True).mode == "live"
    blocked(peer, 422)
    on(rounds=4)
    assert PolicyVersion.objects.get(policy_id="mend", current=True).mode == "shadow"


def test_a_storm_is_told_where_no_policy_is_at_it_too(peer: Peer) -> None:
    policy(conditions={"saga_id": {"==": "another"}})
    for _ in range(10):
        blocked(peer, 422)
    watch()
    watch()
    alert = Alert.objects.get(rule__name="target_failing")
    assert "no recovery policy is at it" in alert.sentence and alert.labels["target"] == "127.0.0.1"
    Storm.objects.update(last_at=now() - timedelta(minutes=6))
    recover()
    assert not Storm.objects.exists() and recover() == 0
