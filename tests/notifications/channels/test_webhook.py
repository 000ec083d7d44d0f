"""JSON to a URL, over real HTTP."""

from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from foundation.clock import now
from notifications.delivery.worker import deliver_due
from notifications.models import Channel, Delivery
from tests.notifications.scenes import asked, make_due, only, webhook
from tests.support.peer import Peer

pytestmark = pytest.mark.django_db
OPS = ["webhook://ops"]


def test_the_receiver_gets_the_notice(receiver: Peer) -> None:
    webhook(receiver)
    asked(channels=OPS)
    deliver_due()
    (request,) = receiver.seen
    assert (request.method, request.path) == ("POST", "/ops")
    assert json.loads(request.body) == {
        "id": only().pk, "subject": "approval:17", "kind": "asked", "title": "Deploy to production?",
        "text": "Version **7** waits.", "url": "https://zen.test/a/17",
    }  # fmt: skip
    assert only().status == "sent"


@pytest.mark.parametrize("status", [400, 401, 404, 410, 302, 308])
def test_a_refusal_is_dead_at_once_and_no_redirect_is_followed(receiver: Peer, status: int) -> None:
    webhook(receiver)
    receiver.say("/ops", status, {"Location": f"{receiver.url}/elsewhere"})
    asked(channels=OPS)
    deliver_due()
    assert (only().status, only().attempts) == ("dead", 1) and str(status) in only().error
    assert [request.path for request in receiver.seen] == ["/ops"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(receiver: Peer, status: int) -> None:
    webhook(receiver)
    receiver.say_once("/ops", status, {"Retry-After": "120"})
    asked(channels=OPS)
    deliver_due()
    assert only().status == "queued" and (only().due_at - now()).total_seconds() > 110
    make_due()
    deliver_due()
    assert (only().status, only().attempts) == ("sent", 2)


def test_after_the_last_attempt_it_is_dead(receiver: Peer, settings: Settings) -> None:
    settings.ZEN_NOTIFY_ATTEMPTS = 3
    webhook(receiver)
    receiver.say("/ops", 503)
    asked(channels=OPS)
    for _ in range(5):
        make_due()
        deliver_due()
    assert (only().status, only().attempts, len(receiver.seen)) == ("dead", 3, 3)


def test_addresses_within_are_refused_unless_allowed(receiver: Peer, settings: Settings) -> None:
    webhook(receiver)
    settings.ZEN_OUTBOUND_ALLOW = ()
    asked(channels=OPS)
    deliver_due()
    assert only().status == "queued" and "no answer" in only().error and receiver.seen == []


def test_a_broken_channel_holds_up_no_other(receiver: Peer) -> None:
    webhook(receiver, "bad")
    webhook(receiver, "ops")
    receiver.say("/bad", 500)
    for n in range(12):
        asked(channels=["webhook://bad"], n=n)
    asked(channels=OPS, n=99)
    deliver_due()
    assert Delivery.objects.filter(channel__name="webhook://ops").get().status == "sent"
    assert Channel.objects.get(name="webhook://bad").last_error and not Channel.objects.get(name=OPS[0]).last_error


def test_a_channel_switched_off_meanwhile_is_dead(receiver: Peer) -> None:
    webhook(receiver)
    asked(channels=OPS)
    Channel.objects.update(enabled=False)
    deliver_due()
    assert only().status == "dead" and "disabled" in only().error and receiver.seen == []
