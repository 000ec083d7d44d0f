"""What is asked reaches people before the deadline, and whose silence it was is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from approvals.evidence.receipt import receipt
from approvals.evidence.verify_receipt import problems
from approvals.external_flow import APPROVAL
from approvals.models import Link, Request
from approvals.policies.checks import policy_warnings
from approvals.policies.publish import check_policy
from approvals.queries.requests import state_of
from approvals.queries.view import request_view
from approvals.requests import Ask, ask, publish_policy, resubmit
from foundation.clock import database_now, now
from foundation.identity.actor import Actor
from foundation.models import AuditEvent
from notifications.delivery.worker import deliver_due
from notifications.models import Channel, Contact, Delivery, Notice, Watch
from notifications.routing.quiet_hours import in_time
from tests.notifications.conftest import mailbox
from tests.notifications.mail_server import Mailbox
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA

__all__ = ["mailbox"]
pytestmark = pytest.mark.django_db(transaction=True)
FAR = timedelta(days=30)


def asked(*users: str, by: Actor = ADA, **stage: Any) -> Request:
    body = {"name": "s", "who": {"users": list(users)}, "expire": "20s", "at_the_end": "approve", **stage}
    publish_policy(data={"policy": "quiet", "stages": [body]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", description="May we?", policy="quiet"), actor=by, engine="celery")
    return request


def bob(email: str = "bob@example.com", **contact: Any) -> Any:
    user = account("bob")
    type(user).objects.filter(pk=user.pk).update(email=email)
    if contact:
        Contact.objects.create(user=user, **contact)
    return user


def rung(request: Request, after: timedelta = FAR) -> Request:
    APPROVAL.on_timer(request.run_id, now() + after)
    request.refresh_from_db()
    return request


def all_day() -> dict[str, Any]:
    """Quiet hours that began an hour ago, and end in an hour."""
    at = datetime.now(UTC)
    return {"zone": "UTC", "quiet_from": (at - timedelta(hours=1)).time(), "quiet_to": (at + timedelta(hours=1)).time()}


def test_whom_no_channel_reaches_is_no_silent_yes() -> None:
    """Case 5."""
    bob(email="")
    request = asked("bob")
    deliver_due()
    (fault,) = request_view(request)["not_reached"]
    assert "no channel reaches this person" in fault["why"]
    request = rung(request)
    assert (request.status, request.words) == ("rescue", "nobody was reached")


@pytest.mark.parametrize("at_the_end", ["approve", "reject"])
@pytest.mark.parametrize("contact", ["daily", "hourly", "quiet"])
def test_what_is_asked_goes_before_the_deadline(
    mailbox: Mailbox, settings: Settings, contact: str, at_the_end: str
) -> None:
    """Case 12: whatever the digest or the quiet hours."""
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 0
    bob(**(all_day() if contact == "quiet" else {"digest": contact}))
    request = asked("bob", at_the_end=at_the_end, remind=["10s"])
    row = Delivery.objects.get()
    assert row.due_at == row.created_at and row.until == request.expires_at
    assert deliver_due() == 1 and len(mailbox.mails) == 1 and request_view(request)["not_reached"] == []
    request.refresh_from_db()
    APPROVAL.on_timer(request.run_id, request.created_at + timedelta(seconds=11))
    reminder = Delivery.objects.get(notice__kind="approval.reminder")
    assert reminder.due_at <= now(), "a reminder waits no longer"


def test_who_is_muted_is_named_and_their_silence_is_no_yes(mailbox: Mailbox) -> None:
    bob(muted=True)
    request = asked("bob")
    assert deliver_due() == 0 and mailbox.mails == []
    assert request_view(request)["not_reached"] == [{"name": "bob", "why": "the person has muted what is not urgent"}]
    assert rung(request).words == "nobody was reached"


def test_who_was_told_too_often_is_named_too(settings: Settings) -> None:
    bob()
    settings.ZEN_NOTIFY_CAP = 0
    request = asked("bob")
    (fault,) = request_view(request)["not_reached"]
    assert "ZEN_NOTIFY_CAP is 0" in fault["why"] and rung(request).status == "rescue"


def test_where_there_is_time_a_digest_is_waited_for() -> None:
    bob(digest="daily")
    asked("bob", expire="7d")
    row = Delivery.objects.get()
    assert row.due_at > row.created_at


def test_an_escalation_that_takes_it_away_counts_as_a_deadline() -> None:
    bob(digest="daily"), account("dora")
    asked("bob", expire="7d", escalate=[{"after": "30s", "to": {"users": ["dora"]}, "authority": "transfer"}])
    row = Delivery.objects.get()
    assert row.due_at == row.created_at


def test_an_attempt_that_failed_does_not_wait_for_the_morning(mailbox: Mailbox, settings: Settings) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 0
    who = bob()
    request = asked("bob", expire="10m")
    Contact.objects.create(user=who, **all_day())  # the night falls between the attempts
    mailbox.refuse("bob@example.com", "450 greylisted")
    deliver_due()
    row = Delivery.objects.get()
    assert row.status == "queued" and row.due_at < request.expires_at - timedelta(minutes=2)  # type: ignore[operator]


def test_a_channel_that_dies_hands_over_at_once_and_the_clock_follows(mailbox: Mailbox, settings: Settings) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 0
    Channel.objects.create(name="email://people", kind="email", personal=True)
    Channel.objects.create(name="email://second", kind="email", personal=True)
    bob()
    request = asked("bob", expire="1h")
    mailbox.refuse("bob@example.com", "550 no such person")
    deliver_due()
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["dead", "sent"]
    sent = Delivery.objects.get(status="sent").sent_at
    request.refresh_from_db()
    assert sent is not None and request.expires_at == sent + timedelta(hours=1)


def test_whose_silence_it_was_is_in_the_audit_the_receipt_the_message_and_the_page(mailbox: Mailbox) -> None:
    bob()
    request = asked("bob", by=actor(account("ada", "operator")))
    deliver_due()
    request = rung(request)
    assert (request.status, request.words) == ("approved", "by silence, as the policy says")
    sent = Delivery.objects.get(notice__kind="approval.asked").sent_at
    assert sent is not None
    (row,) = AuditEvent.objects.filter(action="approval.passed-by-silence")
    assert row.data["stage"] == "s" and [one[0] for one in row.data["told"]] == [f"user:{account('bob').pk}"]
    made = receipt(request)
    assert problems(made) == []
    assert [one["data"]["told"] for one in made["audit"] if one["action"] == "approval.passed-by-silence"] == [
        row.data["told"]
    ]
    view = request_view(request)
    assert view["told"] == [{"name": "bob", "stage": "s", "at": sent.isoformat()}]
    said = Notice.objects.get(kind="approval.decided").text
    assert f"Told of it: bob ({sent:%Y-%m-%d %H:%M} UTC)" in said


def test_a_delivery_that_the_listener_missed_is_heard_of_before_silence_is_judged(
    mailbox: Mailbox, settings: Settings
) -> None:
    """Also for requests that were opened before we kept who had heard."""
    bob()
    request = asked("bob")
    settings.ZEN_DELIVERY_LISTENERS = []
    deliver_due()
    request.refresh_from_db()
    assert state_of(request).heard == ()
    assert rung(request).status == "approved" and [one.person for one in state_of(request).heard] != []


def test_what_was_sent_of_the_round_before_is_no_news_of_this_one(mailbox: Mailbox, settings: Settings) -> None:
    bob()
    request = asked("bob")
    settings.ZEN_DELIVERY_LISTENERS = []
    deliver_due()
    ada = account("ada", "operator")
    says("bob", "request-changes", request)
    request = resubmit(request_id=str(request), actor=ADA, description="Another thing?")
    assert ada and rung(request).words == "nobody was reached"


def test_a_link_stays_open_while_the_deadline_moves(settings: Settings, mailbox: Mailbox) -> None:
    settings.ZEN_APPROVERS_BY_ADDRESS, settings.ZEN_NOTIFY_COALESCE_SECONDS = True, 0
    body = {"name": "s", "who": {"emails": ["eve@example.com"]}, "expire": "1h", "at_the_end": "approve"}
    publish_policy(data={"policy": "p", "stages": [body]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", description="?", policy="p"), actor=ADA, engine="celery")
    deliver_due()
    request.refresh_from_db()
    assert [one.person for one in state_of(request).heard] == ["email:eve@example.com"]
    assert request.expires_at is not None and Link.objects.get().expires_at > request.expires_at


def test_a_late_word_counts_where_nobody_was_there_to_hear_of_it() -> None:
    bob()
    request = asked("bob", at_the_end="reject", expire="1h")
    opened = now() - timedelta(hours=3)
    state = request.state | {"opened_at": opened.isoformat(), "clock_from": opened.isoformat()}
    Request.objects.update(state=state, next_at=opened + timedelta(hours=1), expires_at=opened + timedelta(hours=1))
    Watch.objects.create(pk=1, seen_at=opened + timedelta(minutes=10))
    assert says("bob", "approve", request).status == "approved"


def test_a_late_word_is_late_where_somebody_was() -> None:
    bob()
    request = asked("bob", at_the_end="reject", expire="1h")
    opened = now() - timedelta(hours=3)
    state = request.state | {"opened_at": opened.isoformat(), "clock_from": opened.isoformat()}
    Request.objects.update(state=state, next_at=opened + timedelta(hours=1), expires_at=opened + timedelta(hours=1))
    Watch.objects.create(pk=1, seen_at=database_now())
    with pytest.raises(Exception, match="nobody decided in time"):
        says("bob", "approve", request)


def test_a_policy_whose_silence_nobody_could_break_is_doubtful() -> None:
    bob(muted=True)
    body = {"name": "s", "who": {"users": ["bob"]}, "expire": "1d", "at_the_end": "approve"}
    (doubt,) = policy_warnings(check_policy({"policy": "p", "stages": [body]}))
    assert "bob (the person has muted what is not urgent)" in doubt


@pytest.mark.parametrize(("wait", "goes"), [(74, True), (76, False), (100, False), (1000, False)])
def test_how_long_a_message_may_wait(wait: int, goes: bool) -> None:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    wished = at + timedelta(seconds=wait)
    assert (in_time(at, wished, at + timedelta(seconds=100)) == wished) is goes
    assert in_time(at, wished, None) == wished and in_time(at, at, at) == at
