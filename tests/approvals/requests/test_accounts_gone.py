"""Whoever cannot be told, or was deleted while a request counted on them, keeps no request from going on."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from approvals.external_flow import APPROVAL
from approvals.models import Request
from approvals.requests import Ask, ask, name_people, publish_policy, withdraw
from approvals.requests.state import inconsistencies
from approvals.requests.state.reconcile import reconcile
from notifications.models import Channel, Delivery
from tests.approvals.later import after
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
LEVEL = {"after": "1h", "to": {"users": ["dora"]}, "authority": "add"}


def asked(*stages: dict[str, Any]) -> Request:
    publish_policy(data={"policy": "p", "stages": list(stages)}, actor=ADA)
    return ask(given=Ask(stage="s", policy="p", description="?"), actor=ADA, engine="celery")[0]


def stage(*users: str, name: str = "s", **more: Any) -> dict[str, Any]:
    return {"name": name, "who": {"users": list(users)}, "expire": "2h", **more}


def rung(request: Request, **span: float) -> Request:
    APPROVAL.on_timer(request.run_id, request.created_at + timedelta(**span))
    return whole(request)


def told() -> list[tuple[str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("notice__kind", "person_name"))


def test_an_escalation_to_a_deleted_account_stops_no_clock() -> None:
    request = asked(stage("bob", escalate=[LEVEL]))
    account("dora").delete()
    assert rung(request, hours=5).status == "expired"


def test_nor_a_vote_nor_a_withdrawal() -> None:
    first, second = asked(stage("bob", escalate=[LEVEL])), asked(stage("bob", escalate=[LEVEL]))
    account("dora").delete()
    with after(minutes=90):
        assert says("bob", "approve", first).status == "approved"
        assert withdraw(request_id=str(second), actor=ADA).status == "withdrawn"


def test_a_later_stage_goes_on_without_whoever_was_deleted() -> None:
    request = asked(stage("bob"), stage("dora", "carol", name="t", how_many="all"))
    account("dora").delete()
    request = says("bob", "approve", request)
    assert [seat.user for seat in whole(request).seats.all()] == [account("carol")]
    assert told()[-1] == ("approval.asked", "carol")
    assert says("carol", "approve", request).status == "approved"


def test_the_next_level_is_asked_when_nobody_of_the_stage_is_left() -> None:
    next_one = {"after": "1h", "to": {"users": ["carol"]}, "authority": "transfer"}
    request = asked(stage("bob"), stage("dora", name="t", escalate=[next_one]))
    account("dora").delete()
    request = says("bob", "approve", request)
    assert request.status == "pending" and [seat.user for seat in request.seats.all()] == [account("carol")]


def test_a_stage_that_was_handed_to_nobody_waits_for_an_administrator() -> None:
    request = asked(stage("bob", escalate=[{**LEVEL, "authority": "transfer"}]))
    account("dora").delete()
    assert rung(request, minutes=61).seats.get().user is None
    assert list(inconsistencies.shut_out()) == [request]
    assert reconcile() and reconcile() == 0
    request = whole(request)
    assert (request.status, request.words) == ("rescue", "too few people are left who may decide")
    name_people(request_id=str(request), actor=ADA, users=["carol"])
    assert says("carol", "approve", request).status == "approved"


def test_who_cannot_be_told_is_left_out_and_the_others_hear_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """As in a request of before addresses were looked at."""
    Channel.objects.create(name="slack://ops", kind="slack", target="C012345")
    to = {"emails": ["ops@example.com"], "users": ["carol"]}
    level = {"after": "1h", "to": to, "authority": "add"}
    request = asked(stage("bob", escalate=[level], channels=["slack://ops"]))
    request.people["email:ops@example.com"]["email"] = "ops@intranet"
    request.save(update_fields=["people"])
    with caplog.at_level(logging.WARNING):
        rung(request, minutes=61)
    assert told()[-2:] == [("approval.escalated", "carol"), ("approval.escalated", "")]
    assert "'ops@intranet' cannot be reached" in caplog.text and str(request) in caplog.text
    with after(hours=1):
        assert says("carol", "approve", request).status == "approved"
