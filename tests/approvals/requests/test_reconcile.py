"""What was lost between approvals and runs is found and mended, once."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from pytest_django import Settings

from approvals.core.approval.state import STATE
from approvals.models import Request
from approvals.queries.requests import state_of
from approvals.requests import publish_policy
from approvals.requests.state import inconsistencies
from approvals.requests.state import reconcile as reconciling
from approvals.requests.state.inconsistencies import GRACE
from approvals.requests.state.reconcile import reconcile
from approvals.tasks import reconcile as task
from foundation.clock import now
from foundation.errors import Unreachable
from foundation.models import AuditEvent
from orchestration.core.enums import Verb
from orchestration.engines.registry import ENGINES
from orchestration.models import Command, Message, Run, Step, Worker
from orchestration.runs import act, external
from orchestration.runs.queries import run_view
from orchestration.runs.relay import relay
from orchestration.workers.celery.worker import work
from tests.approvals.later import after
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import opened, race, waiting_run, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def worked() -> None:
    """Whatever is ready, as a worker would do it."""
    Worker.objects.get_or_create(name="w", defaults={"engine": "celery", "started_at": now(), "lease_until": now()})
    relay()
    work("w")


def asked() -> Request:
    """By a real attempt of a real gate, which is parked."""
    run = waiting_run()
    worked()
    return Request.objects.get(about=run.workflow_id)


def test_what_is_well_is_left_alone() -> None:
    request = asked()
    assert reconcile() == 0
    with after(minutes=5):
        assert reconcile() == 0
    assert whole(request).status == "pending"


def test_a_request_whose_run_has_ended_is_cancelled() -> None:
    request = asked()
    act(workflow_id=request.about, verb=Verb.FORCE_STOP, actor=ADA)
    Message.objects.filter(run=request.run).delete()  # the child was never told
    assert [reconcile(), reconcile()] == [1, 0]
    request = whole(request)
    assert (request.status, request.words[:9]) == ("cancelled", "orphaned:")
    assert AuditEvent.objects.filter(workflow_id=request.request_id, action="approval.orphaned").count() == 1


def test_a_request_of_an_attempt_that_came_too_late_is_cancelled() -> None:
    run = waiting_run()
    act(workflow_id=run.workflow_id, verb=Verb.FORCE_STOP, actor=ADA)
    request = opened(run)
    assert [reconcile(), reconcile()] == [1, 0] and whole(request).status == "cancelled"


@pytest.mark.parametrize("gone", [{"iteration": 2}, {"status": "failed"}, {"status": "unknown"}])
def test_a_request_whose_step_has_gone_another_way_is_cancelled(gone: dict[str, Any]) -> None:
    request, other = asked(), asked()
    step = Step.objects.get(run__workflow_id=request.about)
    Step.objects.filter(pk=step.pk).update(state=step.state | gone, status=gone.get("status", step.status))
    assert [reconcile(), reconcile()] == [1, 0]
    assert (whole(request).status, whole(other).status) == ("cancelled", "pending")


def test_a_step_whose_attempt_broke_waits_until_its_run_is_aborted() -> None:
    """Its retry finds the request; what is undone for hours must not ask people all the while."""
    request = asked()
    step = Step.objects.get(run__workflow_id=request.about)
    broke = step.state | {"status": "unknown", "maybe": True, "parked": False}
    Step.objects.filter(pk=step.pk).update(state=broke | {"blocked": True}, status="unknown")
    assert reconcile() == 0 and whole(request).status == "pending"
    Step.objects.filter(pk=step.pk).update(state=broke | {"blocked": False})
    assert reconcile() == 1 and whole(request).status == "cancelled"


def test_what_has_ended_costs_nothing_when_it_looks_for_runs_that_were_not_told() -> None:
    if connection.vendor == "sqlite":  # PostgreSQL reads a table of few rows whole
        plan = inconsistencies.untold()[:200].explain()
        assert "run_by_status" in plan and "request_by" not in plan and "SCAN" not in plan


def decided_and_lost(monkeypatch: pytest.MonkeyPatch) -> tuple[Request, Run]:
    """A yes whose run was never told: its engine was away, and the message has gone, as after a restored backup."""

    def away(_: Message) -> str:
        raise Unreachable("away")

    request = asked()
    with monkeypatch.context() as lost:
        lost.setattr(external, "deliver", away)
        says("bob", "approve", request)
    Message.objects.filter(message_id__startswith="look:").delete()
    return request, Run.objects.get(workflow_id=request.about)


def test_a_run_that_was_not_told_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    request, run = decided_and_lost(monkeypatch)
    assert reconcile() == 0, "it is too early to say that it was lost"
    with after(seconds=GRACE.total_seconds() + 1):
        assert [reconcile(), reconcile()] == [1, 0]
        worked()
    run.refresh_from_db()
    assert run_view(run)["status"] == "completed"
    assert whole(request).spent_at is not None


def test_it_tells_ever_more_seldom_and_never_beside_the_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    _, run = decided_and_lost(monkeypatch)
    told = Message.objects.filter(run=run, message_id__startswith="look:")
    monkeypatch.setattr(external, "deliver", lambda _: told.update(delivered_at=now()))  # told, and not heard
    counts = []
    for minutes in range(1, 20):
        with after(minutes=minutes):
            reconcile()
        counts.append(told.count())
    assert counts[0] == 1 and 3 <= counts[-1] <= 6
    told.update(delivered_at=None)
    with after(days=3):
        assert reconcile() == 0, "the relay has it in hand"


def test_an_alarm_that_was_lost_rings_all_the_same() -> None:
    stage = {
        "name": "s", "who": {"users": ["bob"]}, "expire": "2h",
        "escalate": [{"after": "1h", "to": {"users": ["dora"]}, "authority": "add"}],
    }  # fmt: skip
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    request = opened(policy="p", approvers=())
    Command.objects.filter(timer="alarm").delete()
    Request.objects.update(next_at=now() - timedelta(minutes=1), state=shifted(request))
    assert [reconcile(), reconcile()] == [1, 0]
    request = whole(request)
    assert {seat.user for seat in request.seats.all()} == {account("bob"), account("dora")}
    assert Command.objects.get(timer="alarm", status="ready").due_at == request.expires_at


def shifted(request: Request, hours: float = 1.1) -> object:
    """Its state as if it had been opened so much earlier: no test waits an hour, and PostgreSQL's clock is its own."""
    state, back = state_of(request), timedelta(hours=hours)
    assert state.opened_at is not None
    moved = replace(state, opened_at=state.opened_at - back, clock_from=state.opened_at - back)
    return STATE.dump_python(moved, mode="json")


@pytest.mark.parametrize("how", ["closed", "role", "group"])
def test_people_who_left_are_taken_off(how: str) -> None:
    account("emil", "leads")
    account("fay", "leads")
    stage = {"name": "s", "who": {"groups": ["leads"]}, "how_many": "all"}
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    request = opened(policy="p", approvers=())
    emil = account("emil")
    match how:
        case "closed":
            emil.is_active = False
            emil.save(update_fields=["is_active"])
        case "role":
            emil.groups.remove(Group.objects.get(name="approver"))
        case _:
            emil.groups.remove(Group.objects.get(name="leads"))
    assert [reconcile(), reconcile()] == [1, 0]
    request = whole(request)
    assert [seat.user.username for seat in request.seats.all() if seat.user] == ["fay"]
    assert says("fay", "approve", request).status == "approved"


def test_a_request_whose_people_have_all_left_is_an_administrators(settings: Settings) -> None:
    settings.ZEN_RESCUE_GRACE_SECONDS = 0
    request = opened(approvers=("bob",))
    bob = account("bob")
    bob.is_active = False
    bob.save(update_fields=["is_active"])
    assert [reconcile(), reconcile()] == [1, 0] and whole(request).status == "rescue"


def test_a_vote_that_was_cast_before_its_voter_left_stands() -> None:
    request = says("bob", "approve", opened(how_many="all"))
    bob = account("bob")
    bob.is_active = False
    bob.save(update_fields=["is_active"])
    assert reconcile() == 0 and whole(request).status == "pending"
    assert says("carol", "approve", request).status == "approved"


def test_two_at_once_do_everything_once(settings: Settings) -> None:
    settings.ZEN_RESCUE_GRACE_SECONDS = 0
    requests = [opened(approvers=("bob",)) for _ in range(6)]
    ended = [opened() for _ in range(6)]
    for request in ended:
        act(workflow_id=request.about, verb=Verb.FORCE_STOP, actor=ADA)
    Message.objects.filter(run__kind="approval").delete()
    bob = account("bob")
    bob.is_active = False
    bob.save(update_fields=["is_active"])
    race(*[partial(reconcile)] * 3)
    reconcile()
    assert {whole(request).status for request in requests} == {"rescue"}
    assert {whole(request).status for request in ended} == {"cancelled"}
    for action, count in (("approval.orphaned", 6), ("approval.people-left", 12)):
        assert AuditEvent.objects.filter(action=action).count() <= count


def test_a_pass_is_bounded_and_comes_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(reconciling, "_round", reconciling._Round())
    stage = {"name": "s", "who": {"groups": ["leads"], "users": ["carol"]}}
    emil = account("emil", "leads")
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    requests = [opened(policy="p", approvers=()) for _ in range(5)]
    emil.groups.remove(Group.objects.get(name="leads"))
    assert [reconcile() for _ in range(4)] == [2, 2, 1, 0]
    assert all(whole(request).seats.count() == 1 for request in requests)


def test_one_that_cannot_be_mended_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = opened(timeout_seconds=3600), opened(timeout_seconds=3600)
    Request.objects.update(next_at=now() - timedelta(minutes=1))
    Request.objects.filter(pk=second.pk).update(state=shifted(second))
    Run.objects.filter(pk=first.run_id).update(engine="temporal")
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    with pytest.raises(Unreachable):
        ENGINES["temporal"].tend(Run.objects.get(pk=first.run_id))
    with caplog.at_level(logging.WARNING):
        assert reconcile() == 1
    assert f"approval {first} waits: " in caplog.text
    assert whole(second).status == "expired"


def test_the_beat_has_a_task() -> None:
    asked()
    assert task() == 0
