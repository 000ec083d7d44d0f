"""Who may ask or start things cannot have others, or nobody, agree to what a recovery policy wants to do."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from approvals.models import Request
from approvals.requests import Ask, ask
from foundation.clock import now
from foundation.errors import NotAllowed
from foundation.identity.actor import Actor
from foundation.identity.permissions import actor_for
from monitoring.core.enums import RecoveryAction
from monitoring.models import PolicyVersion, RecoveryAttempt
from monitoring.performing import approval
from monitoring.performing.by_hand import trigger
from monitoring.performing.tick import recover
from monitoring.recovery.policies import armed
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, start_run
from tests.approvals.scenes import published
from tests.monitoring.recovery.scenes import blocked, go_on, policy, watch
from tests.support.moments import over
from tests.support.peer import Peer
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
A = RecoveryAction
ANY = {"status": {"in": ["running", "waiting"]}}
LONG: dict[str, Any] = {"step_id": "a", "forward_action": {"type": "wait", "seconds": 500}}


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.ZEN_RECOVERY = "on"


def wanted(**more: Any) -> RecoveryAttempt:
    """An attempt to cancel a run, decided and not performed yet, to which only Bob may agree."""
    for name in ("bob", "mallory"):
        account(name)
    account("oscar", "operator")
    published({"policy": "board", "stages": [{"name": "ok", "who": {"users": ["bob"]}}]})
    policy(A.CANCEL, conditions=ANY, needs_approval=[A.CANCEL], approval_policy="board", **more)
    start_run(definition={"saga_id": "s", "steps": [LONG]}, actor=ADA, engine="celery")
    go_on()
    watch()
    return RecoveryAttempt.objects.get()


def foretold(attempt: RecoveryAttempt) -> Ask:
    """What the policy will ask, to the letter; whoever may look at runs can write it."""
    return approval._ask(attempt, armed()[0])


def oscar() -> Actor:
    return actor_for(User.objects.get(username="oscar"), door="api")


def test_a_request_that_somebody_else_has_opened_under_its_id_is_none() -> None:
    attempt = wanted()
    content = foretold(attempt)
    forged = Ask(
        stage=content.stage, title=content.title, description=content.description, action=content.action,
        context=content.context, approvers=("mallory",),
    )  # fmt: skip
    theirs, _ = ask(given=forged, actor=oscar(), request_id=f"recovery.{attempt.pk}")
    recover()
    says("mallory", "approve", theirs)
    RecoveryAttempt.objects.update(lease_until=over())
    assert recover() == 0
    attempt.refresh_from_db()
    assert attempt.state == RecoveryAttempt.AWAITING and attempt.approval != theirs.request_id
    says("bob", "approve", Request.objects.get(request_id=attempt.approval))
    RecoveryAttempt.objects.update(lease_until=over())
    assert recover() == 1


@pytest.mark.parametrize("by", ["request", "run"])
def test_an_id_that_is_taken_does_not_keep_people_from_being_asked(by: str) -> None:
    attempt = wanted()
    if by == "run":
        start_run(
            definition={"saga_id": "s", "steps": [LONG]}, actor=oscar(), engine="celery",
            workflow_id=f"recovery.{attempt.pk}",
        )  # fmt: skip
    else:
        ask(given=Ask(stage="x", approvers=("bob",)), actor=oscar(), request_id=f"recovery.{attempt.pk}")
    for _ in range(2):
        RecoveryAttempt.objects.filter(pk=attempt.pk).update(lease_until=over())
        recover()
    attempt.refresh_from_db()
    assert attempt.state == RecoveryAttempt.AWAITING
    asked = Request.objects.get(request_id=attempt.approval)
    assert asked.requester == "recovery:mend" and asked.about == attempt.run.workflow_id
    assert Request.objects.filter(stage="recovery").count() == 1


def test_whoever_published_the_policy_cannot_agree_under_another_name() -> None:
    attempt = wanted()
    bob = User.objects.get(username="bob")
    PolicyVersion.objects.filter(current=True).update(published_by="bob", published_by_id=bob.pk)
    User.objects.filter(pk=bob.pk).update(username="robert")
    account("bob", email="another@example.com")
    account("ben")
    published({"policy": "board", "stages": [{"name": "ok", "who": {"users": ["robert", "ben"]}}]})
    recover()
    request = Request.objects.get()
    with pytest.raises(NotAllowed):
        says("robert", "approve", request)
    assert request.about == attempt.run.workflow_id


def test_a_handle_that_a_stranger_has_taken_does_not_keep_a_run_from_being_restarted(peer: Peer) -> None:
    run = blocked(peer)
    account("oscar", "operator")
    start_run(
        definition={"saga_id": "s", "steps": [LONG]},
        actor=oscar(),
        engine="celery",
        workflow_id=f"{run.workflow_id}~r7",
    )
    Run.objects.filter(pk=run.pk).update(status="rolled_back", finished_at=now())
    first, second = (
        act(workflow_id=run.workflow_id, verb=Verb.RESTART, actor=ADA, note="-", request_id="r7") for _ in range(2)
    )
    assert first == second and first.definition == run.definition and first.workflow_id != f"{run.workflow_id}~r7"


def test_people_are_told_by_hand_of_a_run_once_a_minute() -> None:
    account("oscar", "operator")
    run, _ = start_run(definition={"saga_id": "s", "steps": [LONG]}, actor=ADA, engine="celery")
    assert trigger(run.workflow_id, "look", "notify", actor=ADA).success
    again = trigger(run.workflow_id, "look", "notify", actor=ADA)
    assert not again.success and "less than a minute ago" in again.message
    assert trigger(run.workflow_id, "look", "escalate", actor=ADA).success
    RecoveryAttempt.objects.filter(policy_id="").update(decided_at=run.created_at.replace(year=2020))
    assert trigger(run.workflow_id, "look", "notify", actor=ADA).success
