"""Who is told what, and when the telling starts the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals.external_flow import APPROVAL
from approvals.models import Request
from approvals.policies.principals import person_of
from approvals.requests import Ask, ask, delegate_while_away, publish_policy, remark, remind, resubmit
from approvals.requests.state.delivery_listener import on_delivery_ended
from foundation.clock import now
from notifications.message import DeliveryEnded
from notifications.models import Channel, Delivery, Notice
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def asked(policy: dict[str, Any] | None = None, **more: Any) -> Request:
    if policy:
        publish_policy(data={"policy": "p", **policy}, actor=ADA)
        more["policy"] = "p"
    ada = account("ada", "operator")
    request, _ = ask(given=Ask(stage="s", description="May we?", **more), actor=actor(ada), engine="celery")
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
    bob = account("bob")
    stage = {"name": "s", "who": {"users": ["bob"]}, "clock_starts": "delivered", "expire": "1h"}
    request = asked({"stages": [stage]})
    assert request.expires_at is None
    reached = DeliveryEnded(
        subject=f"approval:{request.pk}", kind="approval.asked", user_id=bob.pk, channel="email", sent=True, at=now()
    )
    for _ in range(2):
        on_delivery_ended(reached)
    request.refresh_from_db()
    assert request.expires_at == reached.at + timedelta(hours=1)


def test_a_title_that_no_notice_can_hold_stops_nothing() -> None:
    account("bob")
    request = asked(approvers=("bob",), title="\x07")
    says("bob", "approve", request)
    assert Request.objects.get().status == "approved"


def level(who: str, after: str, authority: str) -> dict[str, Any]:
    return {"after": after, "to": {"users": [who]}, "authority": authority}


def stage(*users: str, **more: Any) -> dict[str, Any]:
    return {"stages": [{"name": "s", "who": {"users": list(users)}, **more}]}


def test_each_of_several_levels_that_are_due_at_once_is_told() -> None:
    for name in ("bob", "dora", "erin"):
        account(name)
    request = asked(stage("bob", escalate=[level("dora", "1h", "add"), level("erin", "2h", "transfer")]))
    APPROVAL.on_timer(request.run_id, now() + timedelta(hours=3))
    assert told()[1:] == [("approval.escalated", "dora"), ("approval.escalated", "erin")]


def test_so_are_those_who_are_asked_because_too_few_are_left() -> None:
    for name in ("bob", "carol", "boss", "dora"):
        account(name)
    escalate = [level("boss", "1h", "notify"), level("dora", "2h", "add")]
    request = asked(stage("bob", "carol", how_many=2, escalate=escalate))
    says("carol", "abstain", request)
    assert told()[2:] == [("approval.escalated", "boss"), ("approval.escalated", "dora")]


def buttons_of(who: str) -> list[bool]:
    """Of each notice to this person, or to the channel of the stage."""
    rows = Delivery.objects.filter(person_name=who).order_by("pk").select_related("notice")
    return [bool(row.notice.buttons) for row in rows]


def test_whoever_only_hears_of_it_gets_no_buttons() -> None:
    for name in ("bob", "carol", "dora"):
        account(name)
    Channel.objects.create(name="slack://ops", kind="slack", target="C012345")
    both = {"after": "1h", "to": {"users": ["bob", "dora"]}, "authority": "notify"}
    later_on = level("carol", "2h", "add")
    request = asked(stage("bob", escalate=[both, later_on], channels=["slack://ops"]))
    for hours in (1, 2):
        APPROVAL.on_timer(request.run_id, now() + timedelta(hours=hours, minutes=1))
    assert buttons_of("dora") == [False] and buttons_of("carol") == [True]
    assert buttons_of("bob") == [True, True] and buttons_of("") == [True, True, True]


def test_a_second_round_that_ends_alike_is_settled_too() -> None:
    account("bob"), account("carol")
    policy = {"cooling_off": "1h", **stage("bob", "carol")}
    request = asked(policy, context={"n": 1})
    says("bob", "approve", request)
    resubmit(request_id=str(request), actor=ADA, context={"n": 2})
    says("bob", "approve", request)
    asking = Delivery.objects.filter(notice__kind="approval.asked")
    assert [row.status for row in asking] == ["cancelled"] * 4
    assert Notice.objects.filter(kind="settled").count() == 2


def test_the_cap_keeps_back_no_end_and_no_call_for_an_administrator(settings: Any) -> None:
    settings.ZEN_NOTIFY_CAP = 1
    for name, role in (("bob", "approver"), ("ada", "administrator")):
        account(name, role)
    stages = {"stages": [{"name": "s", "who": {"users": ["bob"]}, "expire": "1h", "at_the_end": "hold"}]}
    request = asked(stages)
    remind(request_id=str(request), actor=ADA)
    remark(request_id=str(request), actor=actor(account("bob")), person=person_of(account("bob")), kind="question",
           text="When?")  # fmt: skip
    APPROVAL.on_timer(request.run_id, now() + timedelta(hours=2))
    says("bob", "approve", request)
    rows = Delivery.objects.order_by("pk").values_list("notice__kind", "person_name", "status")
    assert list(rows) == [
        ("approval.asked", "bob", "cancelled"),  # by its end
        ("approval.reminder", "bob", "cancelled"),
        ("approval.question", "ada", "cancelled"),
        ("approval.rescue", "ada", "cancelled"),
        ("approval.decided", "ada", "queued"),
    ]
    capped = Delivery.objects.filter(error__contains="ZEN_NOTIFY_CAP").values_list("notice__kind", flat=True)
    assert list(capped) == ["approval.reminder"]
