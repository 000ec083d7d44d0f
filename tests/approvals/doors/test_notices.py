"""Who is told what, and when the telling starts the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals.hearing import heard
from approvals.models import Request
from approvals.people import person_of
from approvals.services import Ask, ask, delegate_while_away, publish_policy, remark
from notifications.message import DeliveryEnded
from notifications.models import Channel, Delivery, Notice
from orchestration.clock import now
from tests.contract.cast import account, actor, says
from tests.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def asked(policy: dict[str, Any] | None = None, **more: Any) -> Request:
    if policy:
        publish_policy(data={"policy": "p", **policy}, actor=ADA)
        more["policy"] = "p"
    request, _ = ask(given=Ask(stage="s", description="May we?", **more), actor=ADA, engine="celery")
    return request


def told() -> list[tuple[str, str]]:
    rows = Delivery.objects.order_by("notice_id", "person_name").select_related("notice")
    return [(row.notice.kind, row.person_name) for row in rows]


def test_those_who_decide_are_asked_and_then_told() -> None:
    account("bob"), account("carol"), account("ada", "operator")
    request = asked(approvers=("bob", "carol"))
    assert told() == [("approval.asked", "bob"), ("approval.asked", "carol")]
    assert Notice.objects.get().url == f"http://localhost:8000/approvals/{request}/"
    says("bob", "approve", request)
    assert told()[2:] == [("approval.decided", "ada")]
    assert {row.status for row in Delivery.objects.filter(notice__kind="approval.asked")} == {"cancelled"}


def test_whoever_decides_for_somebody_away_hears_of_it_too() -> None:
    bob, carol = account("bob"), account("carol")
    delegate_while_away(
        actor=actor(bob), owner=bob, to=carol, starts_at=now(), ends_at=now() + timedelta(days=1), reason="holiday"
    )
    asked(approvers=("bob",))
    assert told() == [("approval.asked", "bob"), ("approval.asked", "carol")]


def test_a_question_goes_to_whoever_asked_and_the_answer_back() -> None:
    bob, ada = account("bob"), account("ada", "operator")
    request = asked(approvers=("bob",))
    remark(request_id=str(request), actor=actor(bob), person=person_of(bob), kind="question", text="When?")
    remark(request_id=str(request), actor=actor(ada), person=person_of(ada), kind="answer", text="At noon.")
    assert told()[1:] == [("approval.question", "ada"), ("approval.answer", "bob")]


def test_the_stages_channels_are_told() -> None:
    account("bob")
    Channel.objects.create(name="slack://deployments", kind="slack", target="C012345")
    asked({"stages": [{"name": "s", "who": {"users": ["bob"]}, "channels": ["slack://deployments", "slack://gone"]}]})
    assert Delivery.objects.filter(channel__name="slack://deployments").exists()
    buttons = Notice.objects.get().buttons
    assert [button["label"] for button in buttons] == ["Approve", "Reject"]


def test_a_clock_that_waits_for_the_first_delivery() -> None:
    account("bob")
    stage = {"name": "s", "who": {"users": ["bob"]}, "clock_starts": "delivered", "expire": "1h"}
    request = asked({"stages": [stage]})
    assert request.expires_at is None
    reached = DeliveryEnded(
        subject=f"approval:{request.pk}", kind="approval.asked", user_id=1, channel="email", sent=True, at=now()
    )
    for _ in range(2):
        heard(reached)
    request.refresh_from_db()
    assert request.expires_at == reached.at + timedelta(hours=1)


def test_a_title_that_no_notice_can_hold_stops_nothing() -> None:
    account("bob")
    request = asked(approvers=("bob",), title="\x07")
    says("bob", "approve", request)
    assert Request.objects.get().status == "approved"
