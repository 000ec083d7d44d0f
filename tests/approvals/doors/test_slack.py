"""Buttons in Slack: signed on the raw body, heard once, judged as the account behind them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from approvals.models import Request, Vote
from approvals.requests import Ask, ask, decide
from approvals.requests.messages.links import page_of
from approvals.requests.messages.texts import button_of
from foundation.clock import now
from notifications.models import Contact, Notice, Press
from notifications.slack.worker import work_presses
from tests.support.moments import over
from tests.support.peer import Peer, serving
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "of-the-slack-app"


@pytest.fixture(autouse=True)
def app(settings: Settings) -> None:
    settings.ZEN_SLACK_SIGNING_SECRET = SECRET
    Contact.objects.create(user=account("bob"), slack_id="U0B0B")


@pytest.fixture
def asked() -> Request:
    request, _ = ask(given=Ask(stage="s", description="?", approvers=("bob",)), actor=ADA, engine="celery")
    return request


def payload(request: Request, word: str = "approve", ts: str = "1764000000.1", **more: Any) -> bytes:
    action = {"action_id": word, "action_ts": ts, "value": button_of(request, word)}
    body = {"team": {"id": "T1"}, "user": {"id": "U0B0B"}, "actions": [action], **more}
    return urlencode({"payload": json.dumps(body)}).encode()


def send(body: bytes, **how: Any) -> int:
    return int(signed(body, **how).status_code)


def signed(
    body: bytes, *, secret: str = SECRET, age: float = 0, signature: str = "", signed: bytes | None = None
) -> Any:
    stamp = str(int(time.time() - age))
    base = b"v0:" + stamp.encode() + b":" + (body if signed is None else signed)
    mark = signature or "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": mark}
    form = "application/x-www-form-urlencoded"
    return Client().post("/integrations/slack/actions", body, content_type=form, headers=headers)


def test_a_press_is_stored_at_once_and_decided_after(asked: Request) -> None:
    assert send(payload(asked)) == 200 and not Vote.objects.exists()
    assert work_presses() == 1 and work_presses() == 0
    vote = Vote.objects.get()
    assert (vote.door, vote.strength, vote.user) == ("slack", "slack", account("bob"))
    assert "approved" in Press.objects.get().answer


def test_slack_may_send_it_again(asked: Request) -> None:
    assert [send(payload(asked)) for _ in range(3)] == [200, 200, 200]
    work_presses()
    assert Press.objects.count() == Vote.objects.count() == 1


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "another"},
        {"age": 301},
        {"age": -310},  # what runs late in a busy machine makes it younger
        {"signature": "v0="},
        {"signature": "v0=" + "0" * 64},
        {"signature": "v0=ü"},
        {"signed": b"payload=other"},
    ],
)
def test_what_is_not_slacks_is_refused(asked: Request, how: dict[str, Any]) -> None:
    if how.get("signature", "").endswith("ü"):
        how = {"signature": "v0=\xfc"}
    assert send(payload(asked), **how) == 401 and not Press.objects.exists()


@pytest.mark.parametrize("stamp", ["9" * 400, "9" * 5000, "-" + "9" * 400, "nan", "1e3", ""])
def test_a_time_that_no_clock_has_is_refused(stamp: str) -> None:
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + "0" * 64}
    assert Client().post("/integrations/slack/actions", {"payload": "{}"}, headers=headers).status_code == 401


def test_without_a_secret_the_door_is_shut(asked: Request, settings: Settings) -> None:
    settings.ZEN_SLACK_SIGNING_SECRET = ""
    assert send(payload(asked), secret="") == 401


@pytest.mark.parametrize("body", [b"payload=", b"payload=[]", b"payload=%7B%7D", b"x=1", b"payload=%00", b"\xff\xfe"])
def test_other_payloads_do_nothing(body: bytes) -> None:
    assert send(body) in (200, 401) and not Press.objects.exists()


def test_who_pressed_is_looked_up_and_never_believed(asked: Request) -> None:
    send(payload(asked, user={"id": "U0EVE"}))
    work_presses()
    assert not Vote.objects.exists() and "not linked to an account" in Press.objects.get().answer


def test_another_workspace_decides_nothing(asked: Request, settings: Settings) -> None:
    settings.ZEN_SLACK_TEAM = "T9"
    send(payload(asked))
    work_presses()
    assert not Vote.objects.exists()


def test_somebody_else_was_first(asked: Request) -> None:
    says("bob", "reject", asked, "no")
    send(payload(asked))
    work_presses()
    assert "rejected already by bob" in Press.objects.get().answer.lower() and Vote.objects.count() == 1


def test_the_person_is_told_how_it_went(asked: Request, settings: Settings) -> None:
    with serving() as peer:
        _listen(peer, settings)
        send(payload(asked, response_url=f"{peer.url}/things/answer"))
        work_presses()
        told = json.loads(peer.bodies[-1])
    assert told["response_type"] == "ephemeral" and "approved" in told["text"]


def _breaking(monkeypatch: pytest.MonkeyPatch, request: Request, error: Exception) -> None:
    """The first word on this request meets an error that nobody has thought of."""
    errors = [error]

    def decided(**given: Any) -> Request:
        if given["request_id"] == request.request_id and errors:
            raise errors.pop()
        return decide(**given)

    monkeypatch.setattr("approvals.slack.interactions.decide", decided)


def _other() -> Request:
    return ask(given=Ask(stage="t", description="?", approvers=("bob",)), actor=ADA, engine="celery")[0]


def test_a_press_that_breaks_keeps_no_other_waiting(
    asked: Request, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = _other()
    for number, request in enumerate((asked, other)):
        send(payload(request, ts=str(number)))
    _breaking(monkeypatch, asked, RuntimeError("no such wheel"))
    assert work_presses() == 2 and work_presses() == 0
    assert Vote.objects.get().request == other and "no such wheel" in caplog.text
    said = Press.objects.order_by("pk")[0].answer
    assert said.startswith("Nothing is decided") and "page" in said


def test_a_press_that_the_database_fails_is_done_later(asked: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    other = _other()
    for number, request in enumerate((asked, other)):
        send(payload(request, ts=str(number)))
    _breaking(monkeypatch, asked, OperationalError("the server closed the connection"))
    assert work_presses() == 2 and Vote.objects.get().request == other
    waiting = Press.objects.get(done_at=None)
    assert (waiting.status, waiting.attempts, waiting.answer) == ("queued", 0, "")
    Press.objects.update(due_at=over())
    assert work_presses() == 1 and Vote.objects.filter(request=asked).exists()


def test_nobody_without_a_slack_id_has_pressed(asked: Request) -> None:
    Contact.objects.update(slack_id="")
    send(payload(asked, user={"id": ""}))
    work_presses()
    assert not Vote.objects.exists() and "not linked to an account" in Press.objects.get().answer


def _listen(peer: Peer, settings: Settings) -> None:
    settings.ZEN_OUTBOUND_ALLOW = (peer.address,)
    settings.ZEN_NOTIFY_SLACK_URL = f"{peer.url}/api/"


def _asked(**more: Any) -> Request:
    given = {"stage": "s", "description": "May we?", "approvers": ("bob",), **more}
    return ask(given=Ask(**given), actor=ADA, engine="celery")[0]


NOT_SHOWN: list[dict[str, Any]] = [
    {"context": {"host": "db-1"}},
    {"action": {"type": "script", "script": "rm -rf /"}},
    {"description": "word " * 400},
    {"description": "Buy chairs.\n\n[//]: # (and more)"},
    {"description": "~~~ sh hidden\nls\n~~~"},
    {"description": "[see](https://example.com/hidden)"},
    {"description": "![see](https://example.com/hidden)"},
    {"description": "[see](https://example.com 'hidden')"},
    {"description": "& " * 700 + "hidden"},
    {"description": "pay \u202e01"},
    {"title": "t" * 251},
    {"title": "<" * 100},
    {"title": "pay \u202e01"},
]


@pytest.mark.parametrize("more", NOT_SHOWN)
def test_a_yes_to_more_than_the_message_shows_is_given_on_the_page(more: dict[str, Any]) -> None:
    request = _asked(**more)
    notice = Notice.objects.get()
    assert [button["label"] for button in notice.buttons] == ["Reject"] and "given on its page" in notice.text
    send(payload(request))  # of a message from before
    work_presses()
    answer = Press.objects.get().answer
    assert not Vote.objects.exists() and answer.startswith("Nothing is decided") and page_of(request) in answer


def test_what_another_has_changed_is_approved_on_the_page() -> None:
    request = _asked()
    Request.objects.update(edits={"context.n": 2})
    send(payload(request))
    work_presses()
    assert not Vote.objects.exists() and page_of(request) in Press.objects.get().answer


@pytest.mark.parametrize(
    "more",
    [
        {"description": "word " * 300},
        {"description": "**Pay** `9` € to <https://bank.example/x>?\n\n1. now\n2. all"},
        {"title": "t" * 250},
        {"context": {}, "description": "这是**重要**的 🚀"},
    ],
)
def test_what_the_message_shows_whole_is_approved_by_its_button(more: dict[str, Any]) -> None:
    request = _asked(**more)
    notice = Notice.objects.get()
    assert [one["label"] for one in notice.buttons] == ["Approve", "Reject"] and "on its page" not in notice.text
    send(payload(request))
    work_presses()
    assert Vote.objects.get().choice == "approve"


def test_a_no_is_taken_whatever_the_message_shows() -> None:
    request = _asked(context={"host": "db-1"})
    Press.objects.create(
        key="k", team="T1", slack_user="U0B0B", value=button_of(request, "reject"), comment="no", received_at=now()
    )
    work_presses()
    assert Vote.objects.get().choice == "reject"
