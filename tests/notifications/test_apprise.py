"""Through apprise, to a real HTTP server in the place of a service."""

from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from notifications.deliver import deliver_due
from notifications.models import Channel
from notifications.senders.apprise import _body
from notifications.senders.parcel import Item, Parcel
from tests.notifications.scenes import asked, make_due, only
from tests.peer import Peer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # one of apprise's plugins
]


@pytest.fixture
def ntfy(receiver: Peer) -> Channel:
    return Channel.objects.create(name="ntfy://ops", kind="apprise", target=f"ntfy://{receiver.address}/ops")


def test_a_service_gets_title_text_and_link(receiver: Peer, ntfy: Channel) -> None:
    asked(channels=["ntfy://ops"])
    deliver_due()
    sent = json.loads(receiver.seen[0].body)
    assert (sent["topic"], sent["title"]) == ("ops", "Deploy to production?")
    assert "Version **7** waits." in sent["message"] and "https://zen.test/a/17" in sent["message"]
    assert only().status == "sent" and len(receiver.seen) == 1


@pytest.mark.parametrize(("status", "end"), [(404, "dead"), (302, "dead"), (429, "queued"), (503, "queued")])
def test_its_answer_says_whether_to_try_again(receiver: Peer, ntfy: Channel, status: int, end: str) -> None:
    receiver.say_once("/", status, {"Location": f"{receiver.url}/elsewhere"})
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert only().status == end and f"error={status}" in only().error
    assert [request.path for request in receiver.seen] == ["/"], "one attempt, and no redirect is followed"


def test_a_service_that_is_down_is_tried_again(receiver: Peer, ntfy: Channel) -> None:
    Channel.objects.update(target="ntfy://127.0.0.1:1/ops")
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert only().status == "queued" and "onnection" in only().error
    Channel.objects.update(target=ntfy.target)
    make_due()
    deliver_due()
    assert only().status == "sent"


@pytest.mark.parametrize(
    "url", ["json://127.0.0.1/x", "ntfy://127.0.0.1/ops?redirect=yes", "ntfy://127.0.0.1/a?ATTACH=/etc/passwd"]
)
def test_a_url_that_became_a_forbidden_one_is_dead(url: str, ntfy: Channel, settings: Settings) -> None:
    settings.ZEN_SECRETS = {"WHOLE": url}
    Channel.objects.update(target="{secret:WHOLE}")
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert only().status == "dead" and url not in only().error


def test_an_sms_says_where_and_not_what() -> None:
    item = Item(id=1, subject="s", title="t", text="secret plan", url="https://zen.test/a/1")
    parcel = Parcel(id=1, subject="s", kind="k", target="", token="", address="+49", name="Ada", items=(item,))
    assert _body(parcel, "twilio") == "https://zen.test/a/1"
    assert "secret plan" in _body(parcel, "ntfy")


def test_its_log_lines_which_name_targets_go_nowhere(ntfy: Channel, capsys: pytest.CaptureFixture[str]) -> None:
    Channel.objects.update(target="ntfy://127.0.0.1:1/whispered")
    asked(channels=["ntfy://ops"])
    deliver_due()
    assert "127.0.0.1:1" in only().error
    assert "127.0.0.1:1" not in capsys.readouterr().err
