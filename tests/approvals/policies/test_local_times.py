"""Times in messages and on pages: in the policy's zone, with UTC beside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from pytest_django import Settings

from approvals.console.requests import clock
from approvals.external_flow import APPROVAL
from approvals.models import Request
from approvals.policies.local_times import shown
from approvals.requests import Ask, ask, publish_policy
from approvals.requests.messages.links import link_for, signed
from notifications.delivery.worker import deliver_due
from tests.notifications.conftest import mailbox, receiver, slack
from tests.notifications.mail_server import Mailbox, part
from tests.notifications.scenes import slack_channel, webhook
from tests.notifications.slack_api import SlackApi
from tests.support.peer import Peer
from tests.system.contract.cast import account
from tests.system.contract.sagas import ADA

__all__ = ["mailbox", "receiver", "slack"]
END = datetime(2026, 11, 26, 14, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        ("2026-11-26T14:31", "America/Los_Angeles", "2026-11-26 06:31 PST (14:31 UTC)"),
        ("2026-07-26T14:31", "America/Los_Angeles", "2026-07-26 07:31 PDT (14:31 UTC)"),
        ("2026-11-26T02:31", "America/Los_Angeles", "2026-11-25 18:31 PST (2026-11-26 02:31 UTC)"),
        ("2026-11-26T14:31", "UTC", "2026-11-26 14:31 UTC"),
        ("2026-11-26T14:31", "Asia/Kathmandu", "2026-11-26 20:16 +0545 (14:31 UTC)"),
        ("2026-11-26T23:31", "Europe/Berlin", "2026-11-27 00:31 CET (2026-11-26 23:31 UTC)"),
        # the hour that is there twice, and the one that is not
        ("2026-10-25T00:30", "Europe/Berlin", "2026-10-25 02:30 CEST (00:30 UTC)"),
        ("2026-10-25T01:30", "Europe/Berlin", "2026-10-25 02:30 CET (01:30 UTC)"),
        ("2026-03-29T00:59", "Europe/Berlin", "2026-03-29 01:59 CET (00:59 UTC)"),
        ("2026-03-29T01:00", "Europe/Berlin", "2026-03-29 03:00 CEST (01:00 UTC)"),
        ("2026-11-01T08:59", "America/Los_Angeles", "2026-11-01 01:59 PDT (08:59 UTC)"),
        ("2026-11-01T09:00", "America/Los_Angeles", "2026-11-01 01:00 PST (09:00 UTC)"),
    ],
)
def test_both_clocks(at: str, zone: str, text: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert shown(moment, ZoneInfo(zone)) == text
    assert clock(moment.isoformat(), zone) == text


def asked(**stage: Any) -> Request:
    account("bob")
    body = {"name": "s", "who": {"users": ["bob"]}, "expire": "3h", **stage}
    hours = {"zone": "America/Los_Angeles"}
    publish_policy(data={"policy": "p", "stages": [body], "hours": hours}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", description="?", policy="p"), actor=ADA, engine="celery")
    return request


def until(request: Request) -> str:
    assert request.expires_at is not None
    return shown(request.expires_at, ZoneInfo("America/Los_Angeles"))


@pytest.mark.django_db(transaction=True)
def test_each_channel_says_until_when(mailbox: Mailbox, slack: SlackApi, receiver: Peer, settings: Settings) -> None:
    settings.ZEN_NOTIFY_COALESCE_SECONDS = 0
    slack_channel(), webhook(receiver)
    request = asked(channels=["slack://deployments", "webhook://ops"])
    request.refresh_from_db()
    deliver_due()
    line = f"Until {until(request)}."
    assert "PST (" in line or "PDT (" in line
    assert line in part(mailbox.only(), "plain") and line in part(mailbox.only(), "html")
    (message,) = slack.shown.values()
    assert line in str(message["blocks"])
    assert line in json.loads(receiver.seen[0].body)["text"]


@pytest.mark.django_db(transaction=True)
def test_pages_the_console_and_the_why_say_it_too(settings: Settings) -> None:
    settings.ZEN_APPROVERS_BY_ADDRESS = True
    request = asked(who={"users": ["bob"], "emails": ["eve@example.com"]})
    request.refresh_from_db()
    (line,) = APPROVAL.why(request.run)
    assert line.endswith(f"until {until(request)}")
    path = signed(link_for(request, "email:eve@example.com", stage=0)).removeprefix(settings.ZEN_PUBLIC_URL)
    assert until(request) in Client().get(path).content.decode()
    client, user = Client(), account("bob")
    user.is_staff = True
    user.save()
    client.force_login(user)
    page = client.get(f"/admin/approvals/request/{request.pk}/change/").content.decode()
    assert shown(request.created_at, ZoneInfo("America/Los_Angeles")) in page
