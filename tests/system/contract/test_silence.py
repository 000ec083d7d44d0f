"""Silence, and a time in which nobody was there, on every engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals.models import Request
from approvals.queries.requests import state_of
from approvals.queries.view import request_view
from approvals.requests import Ask, ask, publish_policy
from approvals.requests.state.delivery_listener import on_delivery_ended
from foundation.clock import database_now
from foundation.models import AuditEvent
from notifications.delivery import outages
from notifications.delivery.worker import deliver_due
from notifications.message import DeliveryEnded
from notifications.models import Delivery, Notice, Outage, Watch
from tests.notifications.mail_server import mail_server
from tests.support.waiting import wait_until
from tests.system.contract.cast import account
from tests.system.contract.hosts import celery_host, until
from tests.system.contract.sagas import ADA


def asked(engine: str, *users: str, **stage: Any) -> Request:
    for name in users:
        account(name)
    body = {"name": "s", "who": {"users": list(users)}, "expire": "3s", "at_the_end": "approve", **stage}
    publish_policy(data={"policy": "quiet", "stages": [body]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", description="?", policy="quiet"), actor=ADA, engine=engine)
    return request


def reached(request: Request, name: str) -> DeliveryEnded:
    user = account(name)
    ended = DeliveryEnded(
        subject=f"approval:{request.pk}", kind="approval.asked", user_id=user.pk, channel="email", sent=True,
        at=database_now(), person=f"user:{user.pk}", dedupe=Notice.objects.get(kind="approval.asked").dedupe,
    )  # fmt: skip
    on_delivery_ended(ended)
    return ended


def ended(request: Request) -> Request:
    until(request.run)
    request.refresh_from_db()
    return request


def ended_once_they_are_back(request: Request, monkeypatch: pytest.MonkeyPatch) -> Request:
    """Nobody has looked after deliveries until the time away is given back for the first time; then somebody does."""
    wait_until(lambda: state_of(Request.objects.get(pk=request.pk)).away, "the time away")
    they_are_back(monkeypatch)
    return ended_while_somebody_looks(request)


def they_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outage has ended; a machine that stalls for a second after that is none."""
    outages.looked()
    monkeypatch.setattr(outages, "LEAST", timedelta(minutes=5))


def ended_while_somebody_looks(request: Request) -> Request:
    def over() -> bool:
        outages.looked()
        return Request.objects.get(pk=request.pk).next_at is None

    wait_until(over, "the end")
    return ended(request)


def test_where_nobody_was_reached_an_administrator_is_needed(engine: str) -> None:
    request = ended(asked(engine, "bob"))
    assert (request.status, request.words, request.next_at) == ("rescue", "nobody was reached", None)


def test_silence_lasts_as_long_as_the_policy_says_from_when_they_heard(engine: str) -> None:
    request = asked(engine, "bob")
    told = reached(request, "bob")
    request = ended(request)
    assert (request.status, request.words) == ("approved", "by silence, as the policy says")
    assert request.decided_at is not None and request.decided_at >= told.at + timedelta(seconds=3)
    view = request_view(request)
    assert [(one["name"], one["at"]) for one in view["told"]] == [("bob", told.at.isoformat())]
    assert view["passed_by_silence"] == ["s"]
    row = AuditEvent.objects.get(action="approval.passed-by-silence")
    assert [person for person, _ in row.data["told"]] == [f"user:{account('bob').pk}"]


def test_whoever_is_reached_too_late_makes_it_go_on(engine: str) -> None:
    request = asked(engine, "bob", "carol", how_many=2)
    reached(request, "bob")
    assert ended(request).words == "too few of those who decide were reached"
    reached(request, "carol")
    request.refresh_from_db()
    assert request.status == "pending" and request.expires_at is not None
    wait_until(lambda: Request.objects.get().status != "pending", "its end")
    assert ended(request).status == "approved"


@pytest.mark.parametrize("at_the_end", ["reject", "approve"])
def test_what_was_left_when_nobody_was_there_is_given_back_once(
    engine: str, at_the_end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "LEAST", timedelta(seconds=1))
    monkeypatch.setattr(outages, "EVERY", timedelta(seconds=0.1))
    monkeypatch.setattr("django.conf.settings.ZEN_SWEEP_SECONDS", 0.1)
    request = asked(engine, "bob", at_the_end=at_the_end, expire="4s")
    Watch.objects.create(pk=1, seen_at=request.created_at)
    request = ended_once_they_are_back(request, monkeypatch)
    state = state_of(request)
    assert state.away is not None and state.opened_at is not None and not state.away_again
    since, till = state.away
    assert till - since >= timedelta(seconds=4) and request.status == (
        "expired" if at_the_end == "reject" else "rescue"
    )
    events = request.run.events.filter(kind="approval.event.resumed").count()
    assert events == AuditEvent.objects.filter(action="approval.time-given-back").count() <= 3, "in pieces, but once"
    if request.decided_at:
        assert request.decided_at - till >= timedelta(seconds=3.9) - (since - state.opened_at)


def test_stopped_before_the_first_mail_and_started_after_the_deadline(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "LEAST", timedelta(seconds=1))
    monkeypatch.setattr(outages, "EVERY", timedelta(seconds=0.1))
    settings.ZEN_SWEEP_SECONDS, settings.ZEN_NOTIFY_COALESCE_SECONDS = 0.1, 0
    outages.looked()
    request = asked("celery", "bob")  # nothing runs: no mail goes, and no alarm rings
    over = request.expires_at
    assert over is not None
    wait_until(lambda: database_now() > over + timedelta(seconds=1), "the deadline")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with mail_server() as mailbox, celery_host():
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        back = database_now()
        they_are_back(monkeypatch)
        wait_until(lambda: deliver_due() or mailbox.mails, "the mail")
        sent = Delivery.objects.filter(notice__kind="approval.asked").get().sent_at
        assert sent is not None
        request = ended_while_somebody_looks(request)
    assert request.status == "approved" and request.decided_at is not None
    assert request.decided_at >= max(sent, back) + timedelta(seconds=3), "a mail, and then the whole time"
    assert Outage.objects.count() == 1
